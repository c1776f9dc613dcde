"""The cost models price hand-checked blocks as their description says."""

from __future__ import annotations

import pytest

from tinynas.errors import ToolError
from tinynas.lab.board import Core
from tinynas.lab.cycles.instruction import Instruction, decode
from tinynas.lab.cycles.models import block_cost, m4_cycles, m7_cycles, m55_cycles


def block(*lines: str) -> list[Instruction]:
    """Decode lines of "mnemonic operands"."""
    return [decode(*line.split(" ", 1)) if " " in line else decode(line, "") for line in lines]


def test_m4_load_costs_two_and_pipelines_after_an_independent_load() -> None:
    assert m4_cycles(block("ldr r0, [r1]")) == 2
    assert m4_cycles(block("ldr r0, [r1]", "ldr r2, [r3]")) == 3
    assert m4_cycles(block("ldr r0, [r1]", "ldr r2, [r0]")) == 4  # address depends on the first


def test_m4_multiple_registers_divide_and_packed() -> None:
    assert m4_cycles(block("ldmia.w r0!, {r4, r5, r6, r7}")) == 5
    assert m4_cycles(block("strd r0, r1, [r2]")) == 3
    assert m4_cycles(block("sdiv r0, r1, r2")) == 7
    assert m4_cycles(block("smlad r0, r1, r2, r0", "sxtb16 r3, r4")) == 2


def test_m7_issues_two_independent_instructions_a_cycle() -> None:
    independent = block("add.w r0, r1, r2", "add.w r3, r4, r5")
    dependent = block("add.w r0, r1, r2", "add.w r3, r0, r5")
    assert m7_cycles(dependent) == m7_cycles(independent) + 1


def test_m7_accumulating_multiplies_forward_into_the_next() -> None:
    chain = block(*["smlad r0, r1, r2, r0"] * 8)
    assert m7_cycles(chain) == 8  # one multiply a cycle, no wait for the accumulator
    unchained = block(*["mul r0, r0, r1"] * 8)
    assert m7_cycles(unchained) == 15  # latency two each


def test_m55_vector_instructions_of_both_pipes_overlap() -> None:
    alternating = block("vldrb.s8 q0, [r0]", "vmladava.s8 r2, q1, q2", "vldrb.s8 q3, [r0]", "vmladava.s8 r4, q1, q2")
    same = block(*["vmladava.s8 r2, q1, q2"] * 4)
    assert m55_cycles(alternating) == 5
    assert m55_cycles(same) == 8


def test_m55_gathers_a_byte_a_cycle() -> None:
    assert m55_cycles(block("vldrb.u8 q2, [r0, q0]")) == 16
    assert m55_cycles(block("vldrh.u16 q2, [r0, q0]")) == 8
    assert m55_cycles(block("vldrw.u32 q0, [q7, #128]!")) == m55_cycles(block("vldrb.8 q0, [r0], #16")) == 2


def test_taken_branches_cost_extra_on_m4() -> None:
    loop = block("subs r0, #1", "bne.n 8000")
    assert block_cost(Core.M4, loop, executions=10, taken=9) == 10 * 2 + 9 * 2


def test_m7_charges_the_rarer_way_of_a_conditional_branch() -> None:
    loop = block("subs r0, #1", "bne.n 8000")
    once = block_cost(Core.M7, loop, executions=10, taken=9)
    assert once == m7_cycles(loop) * 10 + 8 * 1


def test_unknown_core_is_named() -> None:
    with pytest.raises(ToolError, match="cortex-m0"):
        block_cost(Core.M0, block("nop"), 1, 0)
