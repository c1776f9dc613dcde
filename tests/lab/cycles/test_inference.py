"""Blocks counted by QEMU's plugin are those of one inference, and of nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.nets import small_net
from tinynas.errors import ToolError
from tinynas.lab.board import Board, load_board
from tinynas.lab.cycles import inference
from tinynas.lab.cycles.inference import estimate_inference, no_estimate
from tinynas.lab.cycles.plugin import block_counter
from tinynas.lab.measure import Measurement, build_model, measure
from tinynas.quantize.seeded import seeded_inputs

BOARDS = ("qemu-mps2-an386", "qemu-mps2-an500", "qemu-mps3-an547")


@pytest.fixture(scope="module", params=BOARDS)
def measured(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Measurement:
    """`measure` refuses an estimate whose instructions are not those that the board's timer counted."""
    log = tmp_path_factory.mktemp("cycles") / "raw.log"
    return measure(small_net(0), load_board(request.param), repeats=1, log=log, cycles=True)


def test_every_instruction_costs_about_a_cycle(measured: Measurement) -> None:
    assert measured.est_cycles is not None and measured.instructions is not None
    assert 0.5 < measured.est_cycles / measured.instructions < 3


def test_functions_add_up_and_the_runner_is_not_among_them(tmp_path: Path) -> None:
    board = load_board(BOARDS[0])
    built = build_model(small_net(0), board, tmp_path)
    inputs = seeded_inputs(built.graph, 0)[0]
    found = estimate_inference(built.image, board, inputs, log=tmp_path / "raw.log")
    assert sum(count for count, _ in found.by_function.values()) == found.instructions
    assert sum(cycles for _, cycles in found.by_function.values()) == found.est_cycles
    assert "invoke" in found.by_function
    assert not {"timed", "tn_port_ticks", "tn_stack_paint", "main"} & set(found.by_function)


def test_the_counter_is_built_once_per_source(tmp_path: Path) -> None:
    first = block_counter(tmp_path)
    stamp = first.stat().st_mtime_ns
    assert block_counter(tmp_path) == first
    assert first.stat().st_mtime_ns == stamp
    assert [path.name for path in (tmp_path / "qemu").iterdir()] == [first.name]


def test_without_a_host_compiler_there_is_a_reason_and_no_estimate(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    board = load_board(BOARDS[0])
    image = build_model(small_net(0), board, tmp_path).image
    monkeypatch.setattr(inference, "host_compiler", _no_compiler)
    assert "no C compiler" in (no_estimate(board) or "")
    with pytest.raises(ToolError, match=r"no estimated cycles: .*no C compiler"):
        estimate_inference(image, board, [])


def _no_compiler() -> str:
    raise ToolError("no C compiler among gcc")


@pytest.mark.parametrize(("board", "reason"), [("host", "not emulated"), ("qemu-stm32f405", None)])
def test_where_there_is_no_model_the_reason_is_told(board: str, reason: str | None) -> None:
    found = no_estimate(load_board(board))
    assert found is None if reason is None else reason in (found or "")


def test_a_core_without_a_model_is_named() -> None:
    m0: Board = load_board("qemu-stm32f405").model_copy(update={"core": "cortex-m0"})
    assert "no cost model of cortex-m0" in (no_estimate(m0) or "")
