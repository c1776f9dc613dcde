"""Fit: what a plan needs against what a board has."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.engine.test_generate import two_ops
from tinynas.errors import FitError
from tinynas.lab.board import Board, Core, Region, load_board
from tinynas.plan.fit import RuntimeSize, fit, require_fit
from tinynas.plan.plan import Plan
from tinynas.plan.planner import plan

RUNTIME = RuntimeSize(7000, {"tn_conv_s8.c": 1200, "tn_lut_s8.c": 50, "tn_add_s8.c": 400}, 8, 1700)


def board(sram: int, flash: int) -> Board:
    base = load_board("qemu-stm32f405")
    return base.model_copy(
        update={"sram": Region(origin=0, size_bytes=sram), "flash": Region(origin=0, size_bytes=flash)}
    )


@pytest.fixture
def small() -> Plan:
    return plan(two_ops(1, 4), Core.HOST)


def test_sram_is_the_sum_of_its_parts(small: Plan) -> None:
    found = fit(small, board(100_000, 100_000), RUNTIME)
    assert found.fits and found.overflow_bytes == 0
    assert found.sram_bytes == small.arena_bytes + found.stack_bytes + 8 + 1700
    assert 7000 + 1250 + small.const_bytes < found.flash_bytes < 7000 + 1250 + small.const_bytes + 400


def test_the_larger_overflow_counts(small: Plan) -> None:
    need = fit(small, board(100_000, 100_000), RUNTIME)
    tight = board(need.sram_bytes - 10, need.flash_bytes - 300)
    found = fit(small, tight, RUNTIME)
    assert not found.fits and found.overflow_bytes == 300
    with pytest.raises(FitError, match=r"SRAM \(arena \d+ B\): .* 10 B too many; flash: .* 300 B too many") as caught:
        require_fit(found, tight)
    assert caught.value.overflow_bytes == 300


def test_an_exact_fit_fits(small: Plan) -> None:
    need = fit(small, board(100_000, 100_000), RUNTIME)
    exact = board(need.sram_bytes, need.flash_bytes)
    assert require_fit(fit(small, exact, RUNTIME), exact).fits


def test_a_kernel_without_measured_size_is_our_bug(small: Plan) -> None:
    with pytest.raises(KeyError, match=r"no measured size of tn_lut_s8\.c"):
        fit(small, board(100_000, 100_000), replace(RUNTIME, kernel_flash_bytes={"tn_conv_s8.c": 1}))
