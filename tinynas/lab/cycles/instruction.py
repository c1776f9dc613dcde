"""One disassembled Arm instruction: class, registers read and written, as far as the cost models need them."""

from __future__ import annotations

import re
from dataclasses import dataclass

CONDITIONS = "eq|ne|cs|hs|cc|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le"
CONDITION = f"(?:{CONDITIONS})?"
BRANCH = re.compile(rf"^b{CONDITION}(?:\.[nw])?$")
BRANCH_EXCHANGE = re.compile(rf"^bx{CONDITION}$")
OTHER_BRANCHES = {"bl", "blx", "bx", "cbz", "cbnz", "tbb", "tbh", "le", "letp", "wls", "wlstp"}
CONDITIONAL_BRANCHES = {"cbz", "cbnz", "le", "letp", "wls", "wlstp"}
LOW_OVERHEAD_LOOPS = {"le", "letp", "wls", "wlstp", "dls", "dlstp", "lctp"}
REGISTERS = {f"r{i}": i for i in range(16)} | {"sl": 10, "fp": 11, "ip": 12, "sp": 13, "lr": 14, "pc": 15}
REGISTER = re.compile(r"\b(r1[0-5]|r[0-9]|sl|fp|ip|sp|lr|pc)\b")
REGISTER_LIST = re.compile(r"\{([^}]*)\}")
LIST_INSTRUCTION = re.compile(r"^(ldm|stm|push|pop|vldm|vstm|vpush|vpop)")
MULTIPLY = re.compile(r"^(mul|mla|mls|smull|umull|smlal|umlal|umaal|smla|smul|smmla|smmul|smmls|smuad|smusd|smlsd)")
PACKED = re.compile(
    r"^(sxtb16|uxtb16|sxtab16|uxtab16|sxtab|uxtab|sxtah|pkh|qadd|qsub|sadd|ssub|uadd|usub|ssat|usat|sel|shadd|uhadd|usad)"
)
VECTOR_BY_NAME = re.compile(r"^v(ldr[bhwd]|str[bhwd]|ml[as]|add[v]|pst|pt|ctp|max[av]*v|ddup|idup)")
VECTOR_MEMORY = re.compile(r"^v(ldr|str|ld[24]|st[24])")
GATHER = re.compile(r"\[\w+, q[0-7]")  # scalar base, vector of offsets
GATHERED = {"vldrb": 16, "vldrh": 8}  # elements
VECTOR_TO_SCALAR = re.compile(r"^(vml|vaddv|vmaxv|vminv|vmov)")
SHIFTS = re.compile(r"^(sxt|uxt|sbfx|ubfx|bfi|bfc|lsl|lsr|asr|ror)")
SHIFTED_OPERAND = re.compile(r"\b(lsl|lsr|asr|ror)\b")
NO_RESULT = re.compile(r"^(cmp|cmn|tst|teq|str|stm|push|b|cb|it|nop|vstr|vcmp|vmsr|dsb|isb|dmb|bkpt|tb)")
ONE_SOURCE = re.compile(r"^(mov|mvn|sxt|uxt|rbit|rev|clz|neg|adr|ubfx|sbfx)")
LONG_MULTIPLY = re.compile(r"^[su](mull|mlal)")
MULTIPLY_ACCUMULATE = re.compile(r"^(mla|smla|smmla|smlsd)")
# In this order: the first pattern that matches the mnemonic (without its .suffix) names the class.
CLASSES = [
    (re.compile(pattern), name)
    for pattern, name in [
        (r"^(ldm|pop|ldrd|vldm|vpop)", "load_many"),
        (r"^(stm|push|strd|vstm|vpush)", "store_many"),
        (r"^v?ldr", "load"),
        (r"^v?str", "store"),
        (r"^v(div|sqrt)", "float_divide"),
        (r"^v(fma|mla|nmla|fms|mls)", "float_multiply_add"),
        (r"^v", "float"),
        (r"^[su]div", "divide"),
        (MULTIPLY.pattern, "multiply"),
        (PACKED.pattern, "packed"),
        (r"^it[te]*$", "it"),
    ]
]


@dataclass(frozen=True)
class Instruction:
    """What a cost model sees of one instruction."""

    mnemonic: str
    kind: str  # a name of CLASSES, or "alu", "branch", "loop", "vector", "vector_memory"
    reads: frozenset[int]
    writes: frozenset[int]
    words: int = 1  # registers moved by a load or store; elements that a load of bytes or halfwords gathers
    conditional: bool = False  # a branch that may fall through
    shifts: bool = False  # uses the barrel shifter or an extend
    accumulator: int | None = None  # register that a multiply-accumulate adds to


def decode(mnemonic: str, operands: str) -> Instruction:
    """Read one line of objdump (`mnemonic` may carry .n / .w, `operands` has no comment)."""
    base = mnemonic.split(".", maxsplit=1)[0]
    registers = [REGISTERS[name] for name in REGISTER.findall(operands)]
    kind = _kind(mnemonic, base, operands)
    reads, writes = _registers(kind, base, operands, registers)
    accumulator = (
        registers[3] if kind == "multiply" and MULTIPLY_ACCUMULATE.match(base) and len(registers) == 4 else None
    )
    return Instruction(
        mnemonic,
        kind,
        frozenset(reads),
        frozenset(writes | _written_back(kind, operands)),
        words=_words(kind, base, operands),
        conditional=base in CONDITIONAL_BRANCHES or (BRANCH.match(mnemonic) is not None and base != "b"),
        shifts=kind == "alu" and bool(SHIFTS.match(base) or SHIFTED_OPERAND.search(operands)),
        accumulator=accumulator,
    )


def is_branch(instruction: Instruction) -> bool:
    """May this instruction end a block by jumping?"""
    if instruction.kind in ("load_many", "load"):
        return 15 in instruction.writes
    return instruction.kind == "branch" or instruction.mnemonic.split(".")[0] in OTHER_BRANCHES


def _kind(mnemonic: str, base: str, operands: str) -> str:
    if base.startswith("v") and _is_vector(mnemonic, base, operands):
        return "vector_memory" if VECTOR_MEMORY.match(base) else "vector"
    if base in LOW_OVERHEAD_LOOPS:
        return "loop"
    if BRANCH.match(mnemonic) or base in OTHER_BRANCHES or BRANCH_EXCHANGE.match(base):
        return "branch"
    return next((name for pattern, name in CLASSES if pattern.match(base)), "alu")


def _is_vector(mnemonic: str, base: str, operands: str) -> bool:
    return bool(re.search(r"\bq[0-7]\b", operands)) or bool(VECTOR_BY_NAME.match(base) and "." in mnemonic)


def _words(kind: str, base: str, operands: str) -> int:
    listed = REGISTER_LIST.search(operands)
    if listed and LIST_INSTRUCTION.match(base):
        return sum(_span(part.strip()) for part in listed.group(1).split(","))
    if base in GATHERED and GATHER.search(operands):
        return GATHERED[base]
    double = base in ("ldrd", "strd") or (kind == "load" and base == "vldr" and operands.startswith("d"))
    return 2 if double else 1


def _span(part: str) -> int:
    if spread := re.match(r"^([rsd])(\d+)-[rsd](\d+)$", part):
        width = 2 if spread.group(1) == "d" else 1
        return (int(spread.group(3)) - int(spread.group(2)) + 1) * width
    if "-" in part:
        first, last = part.split("-")
        return REGISTERS.get(last, 0) - REGISTERS.get(first, 0) + 1
    return 2 if part.startswith("d") else 1


def _registers(kind: str, base: str, operands: str, registers: list[int]) -> tuple[set[int], set[int]]:
    if NO_RESULT.match(base) or (kind in ("vector", "vector_memory") and not VECTOR_TO_SCALAR.match(base)):
        return set(registers), set()
    if kind == "load_many":
        return _load_many_registers(base, registers)
    if LONG_MULTIPLY.match(base):
        return set(registers[2:]) | (set(registers[:2]) if "lal" in base else set()), set(registers[:2])
    reads, writes = set(registers[1:]), set(registers[:1])
    two_operands = len(registers) == 1 or (
        len(registers) == 2 and kind == "alu" and not ONE_SOURCE.match(base) and operands.count(",") == 1
    )
    return (reads | writes if two_operands else reads), writes


def _load_many_registers(base: str, registers: list[int]) -> tuple[set[int], set[int]]:
    if base.startswith(("pop", "vpop")):
        return {13}, set(registers)
    if base.startswith("ldrd"):
        return set(registers[2:]), set(registers[:2])
    return set(registers[:1]), set(registers[1:])


def _written_back(kind: str, operands: str) -> set[int]:
    if kind not in ("load", "store", "store_many") or not ("!" in operands or re.search(r"\],", operands)):
        return set()
    base = re.search(r"\[(\w+)", operands)
    return {REGISTERS[base.group(1)]} if base and base.group(1) in REGISTERS else set()
