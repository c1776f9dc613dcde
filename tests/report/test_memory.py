"""The memory map agrees with the plan that it draws."""

from __future__ import annotations

import re

import pytest

from tests.cli.models import small_spec
from tinynas.graph.lower import lower
from tinynas.lab.board import Core
from tinynas.plan.fit import Fit
from tinynas.plan.flash import FlashParts
from tinynas.plan.plan import Plan
from tinynas.plan.planner import plan as make_plan
from tinynas.report.memory_chart import blocks, memory_chart
from tinynas.report.memory_text import alive_at, flash_rows, memory_lines, peak_step, sram_parts

FLASH = FlashParts(30_000, 4_000, 5_000, 1_000, 3_000, 1_000, 6_000)


@pytest.fixture(scope="module")
def plan() -> Plan:
    return make_plan(lower(small_spec(32)), Core.M4)


def fit_of(plan: Plan, sram_limit_bytes: int = 131_072) -> Fit:
    sram = plan.arena_bytes + 4096 + 64 + 2048
    over = max(0, sram - sram_limit_bytes)
    return Fit(plan.arena_bytes, 4096, 64, 2048, sram, sram_limit_bytes, 50_000, 1_048_576, over, over == 0)


def test_parts_of_a_memory_add_up_to_it(plan: Plan) -> None:
    fit = fit_of(plan)
    assert sum(part.size_bytes for part in sram_parts(fit)) == fit.sram_limit_bytes
    assert sum(part.size_bytes for part in flash_rows(fit, FLASH)) == fit.flash_limit_bytes


def test_the_peak_holds_the_most_bytes(plan: Plan) -> None:
    totals = [sum(tensor.size_bytes for tensor in alive_at(plan, step)) for step in range(len(plan.steps))]
    assert totals[peak_step(plan)] == max(totals)


def test_every_buffer_is_drawn_once_inside_the_arena(plan: Plan) -> None:
    found = blocks(plan)
    assert len({(block.buffer, block.scratch) for block in found}) == len(found)
    assert all(block.buffer.offset + block.buffer.size_bytes <= plan.arena_bytes for block in found)
    assert {name for block in found for name in block.name.split(" = ") if not block.scratch} == {
        plan.graph.tensors[index].name for index in plan.buffers
    }
    assert memory_chart(plan).count("<title>") == len(found)


def test_text_map_fits_a_terminal_and_says_what_overflows(plan: Plan) -> None:
    lines = list(memory_lines(plan, fit_of(plan), FLASH))
    assert all(len(line) <= 80 for line in lines)
    assert any(re.search(r"arena .* B", line) for line in lines)
    overflow = list(memory_lines(plan, fit_of(plan, sram_limit_bytes=8192), FLASH))
    assert any("free" in line and "-" in line for line in overflow)
