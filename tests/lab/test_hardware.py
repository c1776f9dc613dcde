"""Boards that are not here: their images link, fit, and are sized; what needs the board itself says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.nets import small_net
from tinynas.engine.generate import generate
from tinynas.errors import BoardError, ToolError
from tinynas.graph.tflite_reader import read_tflite
from tinynas.lab.board import known_boards, load_board
from tinynas.lab.build import build_image
from tinynas.lab.elf import read_elf
from tinynas.lab.runtime_size import runtime_size
from tinynas.lab.session import open_board
from tinynas.lab.sources import runner_sources
from tinynas.lab.toolchain import toolchain
from tinynas.plan.fit import fit
from tinynas.plan.planner import plan

HARDWARE = [name for name in known_boards() if load_board(name).kind == "hardware"]
BARE_METAL = [name for name in HARDWARE if load_board(name).framework == "bare-metal"]


def test_the_boards_are_there() -> None:
    assert len(HARDWARE) >= 17
    assert all(load_board(name).hardware for name in HARDWARE)


@pytest.mark.parametrize("name", BARE_METAL)
def test_an_image_links_and_is_as_large_as_predicted(name: str) -> None:
    board = load_board(name)
    graph = read_tflite(small_net(seed=0))
    planned = plan(graph, board.core)
    image = build_image(generate(graph, planned), board)
    predicted = fit(planned, board, runtime_size(board))
    assert abs(predicted.flash_bytes / image.flash_bytes - 1) < 0.01
    assert image.flash_bytes < board.flash.size_bytes
    assert image.runner_sram_bytes <= 2 * 1024
    segments = read_elf(image.elf).segments
    assert min(segment.address for segment in segments) == board.flash.origin  # vectors, where the core starts
    assert all(
        segment.address + len(segment.data) <= board.flash.origin + board.flash.size_bytes for segment in segments
    )


@pytest.mark.parametrize("name", sorted(set(HARDWARE) - set(BARE_METAL)))
def test_with_an_arduino_core_fit_tells_what_is_needed_before_anything_is_built(name: str) -> None:
    board = load_board(name)
    planned = plan(read_tflite(small_net(seed=0)), board.core)
    found = fit(planned, board, runtime_size(board))
    assert found.fits
    assert found.arena_bytes == planned.arena_bytes
    assert found.flash_bytes > board.framework_flash_bytes > 0


@pytest.mark.parametrize("name", BARE_METAL)
def test_the_port_compiles_without_a_warning(name: str, tmp_path: Path) -> None:
    board = load_board(name)
    sources = runner_sources(board)
    port = [path for path in sources.files if path.parent.name == board.port]
    flags = ("-Wconversion", "-Werror", *sources.defines, *(f"-I{folder}" for folder in sources.includes))
    toolchain(board).run(*flags, "-c", *port, cwd=tmp_path)


def test_a_board_that_is_not_attached_is_an_error_of_one_line(tmp_path: Path) -> None:
    board = load_board("nucleo-f746zg")
    with (
        pytest.raises(BoardError, match=r"nucleo-f746zg is a real board.*--port"),
        open_board(board, log=tmp_path / "log"),
    ):
        pass


def test_a_clock_that_the_port_cannot_set_up_is_refused(tmp_path: Path) -> None:
    board = load_board("nucleo-f746zg").model_copy(update={"clock_hz": 100_000_000})
    sources = runner_sources(board)
    port = [path for path in sources.files if path.parent.name == board.port]
    with pytest.raises(ToolError, match="sets up 216 MHz"):
        toolchain(board).run(
            *sources.defines, *(f"-I{folder}" for folder in sources.includes), "-c", *port, cwd=tmp_path
        )
