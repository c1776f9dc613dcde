"""One virtual board and one host runner for all tests of this folder: starting QEMU takes a second."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tinynas.lab.board import Board, load_board
from tinynas.lab.session import BoardSession, open_board


@pytest.fixture(scope="session")
def stm32() -> Board:
    return load_board("qemu-stm32f405")


@pytest.fixture(scope="session")
def session(stm32: Board, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BoardSession]:
    with open_board(stm32, log=tmp_path_factory.mktemp("logs") / "stm32.log") as opened:
        yield opened
