"""pytest plugin: tests that run on a board of the lab.

    def test_vww(tinynas_board):
        assert tinynas_board.measure("vww.tflite").bit_exact

    @pytest.mark.tinynas(board="nucleo-f746zg", features=["camera"])
    def test_with_light_on(tinynas_board): ...

`--tinynas-map MAP` names the hardware map (default: $TINYNAS_MAP). Without one, or where no board of it fits, a test is
skipped and says why. Everything heavy is imported when a test asks for a board.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tinynas.lab.board import Board
    from tinynas.lab.hwmap import BoardEntry
    from tinynas.lab.measure import Measurement
    from tinynas.lab.session import BoardSession

_MARK = "tinynas(board=None, features=[]): the kind or id of the board that `tinynas_board` must be, and its fixtures"


@dataclass(frozen=True)
class LabBoard:
    """A board of the lab, ours for one test."""

    entry: BoardEntry
    board: Board
    session: BoardSession

    def measure(self, model: str | Path | bytes, repeats: int = 3) -> Measurement:
        """Builds, flashes, checks and times a .tflite on the board; see `tinynas.lab.measure.measure`."""
        from tinynas.lab.measure import measure

        content = model if isinstance(model, bytes) else Path(model).read_bytes()
        name = "" if isinstance(model, bytes) else str(model)
        return measure(content, self.board, model=name, session=self.session, repeats=repeats)


@dataclass(frozen=True)
class _Want:
    """What a test asks of a board."""

    board: str | None
    features: frozenset[str]

    @classmethod
    def of(cls, item: pytest.Item) -> _Want:
        """From the test's marks, the nearest first; features add up."""
        board, features = None, set[str]()
        for mark in item.iter_markers("tinynas"):
            unknown = set(mark.kwargs) - {"board", "features"}
            if mark.args or unknown:
                raise pytest.UsageError(f"{item.nodeid}: wanted @pytest.mark.{_MARK.partition(':')[0]}")
            board = board or mark.kwargs.get("board")
            features |= set(mark.kwargs.get("features", ()))
        return cls(board, frozenset(features))

    def fits(self, entry: BoardEntry) -> bool:
        named = self.board is None or self.board in {entry.id, entry.kind}
        return named and self.features <= set(entry.fixtures)

    def __str__(self) -> str:
        features = f" with {', '.join(sorted(self.features))}" if self.features else ""
        return f"{self.board or 'board'}{features}"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The plugin's options."""
    group = parser.getgroup("tinynas", "boards of a lab")
    group.addoption("--tinynas-map", metavar="MAP", help="hardware map, made by `tinynas lab scan` ($TINYNAS_MAP)")
    group.addoption("--tinynas-wait", type=float, default=600.0, metavar="S", help="wait so long for a board in use")


def pytest_configure(config: pytest.Config) -> None:
    """Makes the mark known."""
    config.addinivalue_line("markers", _MARK)


def pytest_report_header(config: pytest.Config) -> str | None:
    """Which map is used, if any."""
    path = _map_path(config)
    return f"tinynas: boards of {path}" if path else None


@pytest.fixture
def tinynas_board(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LabBoard]:
    """A free board that fits the test's mark, locked for this test; its serial log is in tmp_path."""
    from tinynas.errors import BusyError

    want = _Want.of(request.node)
    candidates = _candidates(want, request.config)
    try:
        with _first_free(candidates, request) as entry, _opened(entry, tmp_path / "serial.log") as board:
            yield board
    except BusyError as error:
        pytest.fail(f"no {want} is free: {error}", pytrace=False)


def _candidates(want: _Want, config: pytest.Config) -> list[BoardEntry]:
    from tinynas.lab.hwmap import read_map

    path = _map_path(config)
    if path is None:
        pytest.skip("no hardware map; give one: --tinynas-map map.yaml (made by: tinynas lab scan)")
    fitting = [entry for entry in read_map(path) if want.fits(entry)]
    if not fitting:
        pytest.skip(f"no {want} in {path}")
    connected = [entry for entry in fitting if entry.connected]
    if not connected:
        pytest.skip(f"{', '.join(entry.id for entry in fitting)}: not connected, says {path}")
    return connected


@contextmanager
def _first_free(candidates: list[BoardEntry], request: pytest.FixtureRequest) -> Iterator[BoardEntry]:
    """The first board that nobody uses; if all are in use, the first one, waited for."""
    from tinynas.lab.bench import hold_entry
    from tinynas.lab.locks import lock_holder

    chosen = next((entry for entry in candidates if lock_holder(entry.id) is None), candidates[0])
    wait_s = request.config.getoption("--tinynas-wait")
    token = os.environ.get("TINYNAS_TOKEN")
    with hold_entry(chosen, f"pytest {request.node.nodeid}", wait_s=wait_s, token=token):
        yield chosen


@contextmanager
def _opened(entry: BoardEntry, log: Path) -> Iterator[LabBoard]:
    from tinynas.lab.bench import open_entry
    from tinynas.lab.board import load_board

    with open_entry(entry, log) as session:
        yield LabBoard(entry, load_board(entry.board), session)


def _map_path(config: pytest.Config) -> Path | None:
    named = config.getoption("--tinynas-map") or os.environ.get("TINYNAS_MAP")
    return Path(named) if named else None
