from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from tinynas.errors import BoardError
from tinynas.lab.board import Board, Holds, known_boards, load_board


def test_the_default_board_has_the_real_chip_s_main_memory() -> None:
    board = load_board("qemu-stm32f405")
    assert (board.flash.size_bytes, board.sram.size_bytes, board.clock_hz) == (1 << 20, 131_072, 168_000_000)


@pytest.mark.parametrize("name", known_boards())
def test_every_board_that_ships_loads_under_its_name(name: str) -> None:
    assert load_board(name).name == name


@pytest.mark.parametrize("name", known_boards())
def test_a_board_that_is_written_and_read_is_the_same(name: str, tmp_path: Path) -> None:
    board = load_board(name)
    path = tmp_path / "board.toml"
    path.write_text(board.to_toml())
    assert Board.load(path) == board


@pytest.mark.parametrize("name", [name for name in known_boards() if name.startswith("qemu")])
def test_ticks_are_fine_enough_to_count_instructions(name: str) -> None:
    """A count of ticks is off by less than one: it rounds to the right count if two counts are further apart."""
    virtual = load_board(name).virtual
    assert virtual is not None
    assert virtual.ticks_per_instruction == 1 or virtual.ticks_per_instruction > 2


@pytest.mark.parametrize("name", [name for name in known_boards() if name != "host"])
def test_every_memory_map_is_whole(name: str) -> None:
    """No two memories overlap, and each thing that an image consists of has its place."""
    board = load_board(name)
    memories = sorted(board.memory, key=lambda memory: memory.origin)
    assert all(before.end <= after.origin for before, after in pairwise(memories))
    assert {item for memory in memories for item in memory.holds} == set(Holds)
    assert all(bool(memory.reserved_for) == (len(memory.usable) < memory.size_bytes) for memory in memories)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('flashers = ["openocd", "pyocd"]', 'flashers = ["openocd"]', "pyocd must stand in `flashers`"),
        ('flashers = ["openocd", "pyocd"]', 'flashers = ["openocd", "pyocd", "uf2"]', r"its table \[hardware.uf2\]"),
        ('usb = ["0483:374b"', 'usb = ["0483:374B"', "hardware.usb.0"),
        ("size_bytes = 327_680", "size_bytes = 327_681", "sram is not inside"),
        ("origin = 0x0800_0000", "origin = 0x07FF_FFF0", "flash is not inside"),
    ],
)
def test_what_contradicts_itself_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "board.toml"
    path.write_text(known_boards()["nucleo-f746zg"].read_text().replace(old, new, 1))
    with pytest.raises(BoardError, match=message):
        Board.load(path)


def test_an_unknown_board_lists_the_known_ones() -> None:
    with pytest.raises(BoardError, match=r"unknown board 'nonesuch'; known: .*qemu-stm32f405"):
        load_board("nonesuch")


def test_a_missing_file_is_one_plain_line() -> None:
    with pytest.raises(BoardError, match=r"^mine\.toml: No such file or directory; wanted a board file"):
        load_board("mine.toml")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("clock_hz", "clok_hz", "clo"),
        ("168_000_000", '"fast"', "clock_hz.*integer"),
        ('core = "cortex-m4"', 'core = "z80"', "core.*z80"),
        ("[flash]", "[flash", "board.toml"),
    ],
)
def test_a_wrong_key_or_value_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = known_boards()["qemu-stm32f405"].read_text()
    path = tmp_path / "board.toml"
    path.write_text(text.replace(old, new))
    with pytest.raises(BoardError, match=message):
        Board.load(path)


def test_the_guide_lists_every_board_with_its_clock_and_state() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "boards.md").read_text()
    rows = [
        [cell.strip(" `") for cell in line.split("|")[1:-1]] for line in guide.splitlines() if line.startswith("| `")
    ]
    found = {row[0]: (row[2], row[6]) for row in rows if len(row) == 7}
    states = {"virtual": "run (QEMU)", "bare-metal": "linked", "arduino": "not built"}
    boards = [load_board(name) for name in known_boards() if name != "host"]
    assert found == {
        board.name: (f"{board.clock_hz / 1e6:g} MHz", states["virtual" if board.virtual else board.framework])
        for board in boards
    }
