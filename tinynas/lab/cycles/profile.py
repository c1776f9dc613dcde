"""From a block profile (made by firmware/platforms/qemu/bbprof.c) and an ELF to instructions and estimated cycles."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tinynas.errors import ToolError
from tinynas.lab.board import Core
from tinynas.lab.cycles.instruction import Instruction, decode
from tinynas.lab.cycles.models import block_cost

FUNCTION = re.compile(r"^([0-9a-f]+) <(.+)>:$")
LINE = re.compile(r"^\s*([0-9a-f]+):\s+(\S+)\s*(.*)$")


@dataclass(frozen=True)
class Disassembly:
    """Decoded instructions of an ELF by address."""

    instructions: dict[int, Instruction]
    functions: dict[int, str]  # address of an instruction -> its function
    order: dict[int, int]  # address -> position in `addresses`
    addresses: tuple[int, ...]

    def block(self, start: int, length: int) -> list[Instruction]:
        """The `length` instructions from address `start` on."""
        first = self.order[start]
        return [self.instructions[address] for address in self.addresses[first : first + length]]


@dataclass(frozen=True)
class Estimate:
    """One profiled stretch: exact instructions, estimated cycles, both also by function."""

    instructions: int
    est_cycles: int
    by_function: dict[str, tuple[int, int]]  # (instructions, estimated cycles), most instructions first


def disassemble(elf: Path, core: Core) -> Disassembly:
    """Read `elf` with the Arm objdump.

    Raises:
        ToolError: objdump is missing or refuses the file.
    """
    # without the explicit machine objdump shows vector instructions as generic coprocessor ones
    machine = ["-marmv8.1-m.main"] if core is Core.M55 else []
    command = ["arm-none-eabi-objdump", "-d", "--no-show-raw-insn", *machine, str(elf)]
    try:
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise ToolError(f"cannot disassemble {elf}: {error}; install binutils-arm-none-eabi") from error
    return parse_disassembly(text)


def parse_disassembly(text: str) -> Disassembly:
    """Decode objdump's output."""
    instructions, functions, name = dict[int, Instruction](), dict[int, str](), "?"
    for line in text.splitlines():
        if title := FUNCTION.match(line):
            name = title.group(2)
        elif found := LINE.match(line):
            address = int(found.group(1), 16)
            operands = re.sub(r"<[^>]*>", "", re.split(r"\s*[;@]\s", found.group(3))[0])
            instructions[address], functions[address] = decode(found.group(2), operands), name
    addresses = tuple(sorted(instructions))
    return Disassembly(instructions, functions, {a: i for i, a in enumerate(addresses)}, addresses)


def estimate(profile: str, program: Disassembly, core: Core) -> Estimate:
    """Price a profile: lines "B <start hex> <instructions> <executions> <taken>".

    Raises:
        ToolError: the profile names code that is not in the ELF, or is empty.
    """
    instructions, cycles = Counter[str](), Counter[str]()
    for line in profile.splitlines():
        if not line.startswith("B "):
            continue
        start, length, executions, taken = (
            int(part, base) for part, base in zip(line.split()[1:], (16, 10, 10, 10), strict=True)
        )
        if start not in program.order:
            raise ToolError(
                f"the profile has code at {start:#x} that is not in the ELF; rebuild the image and measure again"
            )
        name = program.functions[start]
        instructions[name] += length * executions
        cycles[name] += block_cost(core, program.block(start, length), executions, taken)
    if not instructions:
        raise ToolError("the profile is empty: the inference never ran between its markers")
    by_function = {name: (count, cycles[name]) for name, count in instructions.most_common()}
    return Estimate(instructions.total(), cycles.total(), by_function)
