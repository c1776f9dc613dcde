"""Which flasher a board gets."""

from __future__ import annotations

from typing import get_args

import pytest

from tinynas.errors import BoardError
from tinynas.lab import hardware
from tinynas.lab.board import known_boards, load_board
from tinynas.lab.flashers.registry import FLASHERS, flasher


def test_every_flasher_that_a_board_file_may_name_is_there() -> None:
    assert set(FLASHERS) == set(get_args(hardware.Flasher))


@pytest.mark.parametrize("name", [name for name in known_boards() if load_board(name).hardware])
def test_a_board_gets_its_first_unless_another_is_named(name: str) -> None:
    board = load_board(name)
    assert board.hardware
    assert flasher(board) is FLASHERS[board.hardware.flashers[0]]
    assert [flasher(board, other) for other in board.hardware.flashers] == [
        FLASHERS[other] for other in board.hardware.flashers
    ]


@pytest.mark.parametrize(
    ("board", "name", "message"),
    [
        ("nucleo-f746zg", "uf2", "nucleo-f746zg is not flashed by uf2; known for it: openocd, pyocd"),
        ("nucleo-f746zg", "stlink", "unknown flasher 'stlink'; known: openocd, pyocd"),
        ("host", None, r"host: .*no \[hardware\] table"),
    ],
)
def test_what_does_not_fit_is_refused(board: str, name: str | None, message: str) -> None:
    with pytest.raises(BoardError, match=message):
        flasher(load_board(board), name)
