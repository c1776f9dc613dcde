"""Pipeline models that price a basic block: estimates from public descriptions, zero wait states, no cache misses.

They serve to compare two programs on one core, not to promise milliseconds. Against published silicon figures of
known engines the M7 model is within about 20 %, the M4 model optimistic by up to a quarter for code in slow flash.

m4   Single issue. ALU, multiply, SMLAD 1; load 2, 1 when it follows another load it does not depend on; store 1;
     LDRD / STRD / LDM / STM / PUSH / POP 1 + registers; divide 7 (2 to 12 on silicon); taken branch + 2; VMLA 3;
     VDIV / VSQRT 14.
m7   In-order dual issue inside a block: per cycle at most one memory access, one multiply, one branch, one shifted
     operand; packed operations (SXTB16, PKH, SSAT) only as the older of a pair; load-use 2 (3 for bytes and
     halfwords), multiply 2 (1 into the accumulator of the next one); divide 8; predicted branches, of each
     conditional one the rarer way costs 8.
m55  Single issue; load-use 2; a vector instruction 2, or 1 after one that uses the other pipe (memory against
     arithmetic); a gathering load of bytes or halfwords 1 for each of them (a guess on the safe side); low-overhead
     loops free after their first turn; taken branch + 2.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence

from tinynas.errors import ToolError
from tinynas.lab.board import Core
from tinynas.lab.cycles.instruction import Instruction, is_branch

Block = Sequence[Instruction]
WORD_LOAD = re.compile(r"^ldr(\.|$)|^vldr")
M4_FIXED = {"divide": 7, "float_divide": 14, "float_multiply_add": 3}
M55_FIXED = {"divide": 8, "float_divide": 14, "loop": 0}
M7_UNITS = {
    "load": "memory", "store": "memory", "load_many": "memory", "store_many": "memory", "multiply": "multiply",
    "packed": "packed", "branch": "branch", "divide": "multiply", "float_multiply_add": "float", "float": "float",
    "float_divide": "float",
}  # fmt: skip


def m4_cycles(block: Block) -> int:
    """Cycles of one pass through a block on a Cortex-M4."""
    cycles, before = 0, None
    for step in block:
        cycles += _m4_step(step, before)
        before = step
    return cycles


def _m4_step(step: Instruction, before: Instruction | None) -> int:
    if step.kind == "load":
        pipelined = before is not None and before.kind == "load" and not (before.writes & step.reads)
        return (1 if pipelined else 2) + (step.words == 2)
    if step.kind in ("load_many", "store_many"):
        return 1 + step.words
    return 2 if step.mnemonic.startswith("tb") else M4_FIXED.get(step.kind, 1)


class _DualIssue:
    """Scoreboard of the M7 model: what issued in the current cycle, and when each register is ready."""

    def __init__(self) -> None:
        self.cycle, self.issued, self.busy = 0, 0, set[str]()
        self.ready: defaultdict[int, int] = defaultdict(int)
        self.ready_to_accumulate: dict[int, int] = {}

    def issue(self, step: Instruction) -> None:
        unit = M7_UNITS.get(step.kind)
        self._wait(self._operands_ready(step))
        while (
            self.issued >= 2
            or unit in self.busy
            or self._shifter_taken(step)
            or (step.kind == "packed" and self.issued)
        ):
            self._wait(self.cycle + 1)
        self.issued += 1
        self.busy |= ({unit} if unit else set()) | ({"shifter"} if step.shifts else set())
        self._retire(step, self._latency(step))

    def _shifter_taken(self, step: Instruction) -> bool:
        return step.shifts and "shifter" in self.busy

    def _operands_ready(self, step: Instruction) -> int:
        def when(register: int) -> int:
            if register == step.accumulator and register in self.ready_to_accumulate:
                return self.ready_to_accumulate[register]
            return self.ready[register]

        return max((when(register) for register in step.reads), default=0)

    def _wait(self, cycle: int) -> None:
        if cycle > self.cycle:
            self.cycle, self.issued, self.busy = cycle, 0, set()

    def _latency(self, step: Instruction) -> int:
        if step.kind == "load":
            return 2 if WORD_LOAD.match(step.mnemonic) else 3
        if step.kind in ("load_many", "store_many"):
            extra = (step.words + 1) // 2 - 1
            self._occupy(extra)
            if extra:
                self.issued, self.busy = 1, {"memory"}
            return 2
        if step.kind in ("divide", "float_divide"):
            self._occupy(7 if step.kind == "divide" else 14)
            self.issued = 2
        return {"multiply": 2, "float_multiply_add": 3}.get(step.kind, 1)

    def _occupy(self, cycles: int) -> None:
        self.cycle += cycles

    def _retire(self, step: Instruction, latency: int) -> None:
        for register in step.writes:
            self.ready[register] = self.cycle + latency
            self.ready_to_accumulate.pop(register, None)
            if step.kind == "multiply":
                self.ready_to_accumulate[register] = self.cycle + 1


def m7_cycles(block: Block) -> int:
    """Cycles of one pass through a block on a Cortex-M7."""
    pipeline = _DualIssue()
    for step in block:
        pipeline.issue(step)
    return pipeline.cycle + 1


def m55_cycles(block: Block) -> int:
    """Cycles of one pass through a block on a Cortex-M55."""
    cycles, ready, vector_before = 0, dict[int, int](), ""
    for step in block:
        cycles = max([cycles, *(ready.get(register, 0) for register in step.reads)])
        cycles += _m55_step(step, vector_before)
        if step.kind.startswith("vector"):
            vector_before = step.kind
        elif step.kind != "loop":
            vector_before = ""
        latency = 2 if step.kind in ("load", "load_many", "store_many", "multiply") else 1
        ready |= dict.fromkeys(step.writes, cycles - 1 + latency)
    return cycles


def _m55_step(step: Instruction, vector_before: str) -> int:
    if step.kind == "vector_memory" and step.words > 2:
        return step.words
    if step.kind.startswith("vector"):
        return 1 if vector_before not in ("", step.kind) else 2
    if step.kind in ("load_many", "store_many"):
        return max(1, (step.words + 1) // 2)
    return M55_FIXED.get(step.kind, 1)


def _flat_branch(last: Instruction, executions: int, taken: int) -> int:
    return 2 * taken


def _predicted_branch(last: Instruction, executions: int, taken: int) -> int:
    if last.conditional:
        return 8 * min(taken, executions - taken)
    direct = last.kind == "branch" and last.mnemonic.startswith("b") and not last.mnemonic.startswith("bx")
    return 0 if direct else 2 * executions


BlockModel = Callable[[Block], int]
BranchModel = Callable[[Instruction, int, int], int]
MODELS: dict[Core, tuple[BlockModel, BranchModel]] = {
    Core.M4: (m4_cycles, _flat_branch),
    Core.M7: (m7_cycles, _predicted_branch),
    Core.M55: (m55_cycles, _flat_branch),
}


def block_cost(core: Core, block: Block, executions: int, taken: int) -> int:
    """Cycles of `executions` passes through `block`, of which `taken` left by its last branch.

    Raises:
        ToolError: there is no model of `core`.
    """
    if core not in MODELS:
        raise ToolError(f"no cycle model for {core}; known: {', '.join(MODELS)}")
    cycles, branch = MODELS[core]
    last = block[-1]
    jumps = branch(last, executions, taken) if is_branch(last) and last.kind != "loop" else 0
    return cycles(block) * executions + jumps
