from __future__ import annotations

from pathlib import Path

import pytest

from tinynas.errors import ConfigError, StoreError
from tinynas.lab.hwmap import Attached, add_virtual, read_map, scan_into

BENCH = """\
# the bench in room 12
- id: red          # the one with the red dot
  board: nucleo-f401re
  connected: true
  serial: '066E38'
  runner: openocd
  fixtures: [camera, power-meter]
  power:
    uhubctl: {location: 1-1.4, port: 2}
  notes: sticky reset button
  rack: 3          # ours

# behind the door
- id: blue
  board: nucleo-f746zg
  connected: false
  serial: "0670"
- id: far
  board: nucleo-f746zg
  serial: socket://bench2:4001
- id: sim
  board: qemu-stm32f405
"""
F401 = Attached(("nucleo-f401re",), "066E38", "STM32 STLink")
F746 = Attached(("nucleo-f746zg",), "0670", "STM32 STLink")
NRF = Attached(("nrf52840-dk",), "10001", "J-Link", probe_id="10001")


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    path = tmp_path / "map.yaml"
    path.write_text(BENCH)
    return path


def test_a_map_is_read_with_its_unknown_keys(bench: Path) -> None:
    red, blue, _, sim = read_map(bench)
    assert (red.id, red.fixtures, red.notes) == ("red", ("camera", "power-meter"), "sticky reset button")
    assert red.power is not None
    assert red.power.words() == ["uhubctl", "-l", "1-1.4", "-p", "2", "-a", "cycle", "-d", "2"]
    assert red.model_extra == {"rack": 3}
    assert (blue.connected, blue.serial) == (False, "0670")
    assert sim.serial is None


def test_a_scan_changes_only_what_it_must(bench: Path) -> None:
    """What people wrote stays, byte for byte, comments and quotes included."""
    changes = scan_into(bench, [F401, F746, NRF])
    assert (changes.new, changes.back, changes.gone) == (("nrf52840-dk-1",), ("blue",), ())
    added = (
        "- id: nrf52840-dk-1\n  board: nrf52840-dk\n  connected: true\n  serial: '10001'\n  product: J-Link\n"
        "  probe_id: '10001'\n"
    )
    assert bench.read_text() == BENCH.replace("connected: false", "connected: true") + added


def test_a_second_scan_of_the_same_bench_changes_nothing(bench: Path) -> None:
    scan_into(bench, [F401, NRF])
    once = bench.read_text()
    assert scan_into(bench, [NRF, F401]).new == ()
    assert bench.read_text() == once


def test_what_was_unplugged_is_marked_and_comes_back(bench: Path) -> None:
    assert scan_into(bench, []).gone == ("red",)
    assert [entry.connected for entry in read_map(bench)] == [False, False, True, True]
    assert scan_into(bench, [F401]).back == ("red",)


def test_a_map_is_made_where_there_is_none(tmp_path: Path) -> None:
    path = tmp_path / "new" / "map.yaml"
    assert scan_into(path, [F401, Attached(("nucleo-f401re",), "0701", "STM32 STLink")]).new == (
        "nucleo-f401re-1",
        "nucleo-f401re-2",
    )
    assert [entry.serial for entry in read_map(path)] == ["066E38", "0701"]


def test_virtual_boards_are_numbered_past_those_that_are_there(tmp_path: Path) -> None:
    path = tmp_path / "map.yaml"
    add_virtual(path, ["qemu-stm32f405", "qemu-mps2-an386", "qemu-stm32f405"])
    assert add_virtual(path, ["qemu-stm32f405"]).new == ("qemu-stm32f405-3",)
    assert [entry.id for entry in read_map(path)][:2] == ["qemu-stm32f405-1", "qemu-mps2-an386-1"]


def test_a_board_file_is_looked_for_beside_the_map(tmp_path: Path) -> None:
    path = tmp_path / "map.yaml"
    path.write_text("- {id: mine, board: mine.toml}\n")
    assert read_map(path)[0].board == str(tmp_path / "mine.toml")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("id: a\n", "wanted a list of boards"),
        ("- a\n", "entry 1: wanted keys and values, found 'a'"),
        ("- {id: a, board: host}\n- {id: a, board: host}\n", "two boards have the id 'a'"),
        ("- {id: a, board: nucleo}\n", "unknown board 'nucleo'"),
        ("- {id: a b, board: host}\n", "id: String should match pattern"),
        ("- {id: a}\n", r"entry 1 \(a\): board: Field required"),
        ("- {id: a, board: host, serial: 0671}\n", r"serial: .*found 671\); put it in quotes"),
        ("- {id: a, board: host, power: {}}\n", "either `uhubctl`"),
        ("- {id: a, board: host, power: {command: x, uhubctl: {location: a, port: 1}}}\n", "either `uhubctl`"),
        ("- {id: a, runner: magic, board: host}\n", "runner: Input should be"),
        ("- {id: a, board: nucleo-f401re, baud: 9600}\n", "baud: 9600, but images for nucleo-f401re talk at 115200"),
        ("- [\n", "not YAML"),
    ],
)
def test_a_wrong_map_is_refused_with_the_place(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "map.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=words) as caught:
        read_map(path)
    assert str(caught.value).startswith(f"{path}: ")
    with pytest.raises(ConfigError):
        scan_into(path, [F401])
    assert path.read_text() == text


def test_a_speed_may_be_named_where_it_is_the_image_s(tmp_path: Path) -> None:
    path = tmp_path / "map.yaml"
    path.write_text("- {id: a, board: nucleo-f401re, baud: 115200}\n- {id: b, board: qemu-stm32f405, baud: 9600}\n")
    assert [entry.baud for entry in read_map(path)] == [115_200, 9600]


def test_a_missing_map_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="tinynas lab scan -o"):
        read_map(tmp_path / "map.yaml")


def test_the_mode_of_a_map_stays_and_a_folder_that_cannot_be_is_named(bench: Path) -> None:
    bench.chmod(0o640)
    scan_into(bench, [])
    assert bench.stat().st_mode & 0o777 == 0o640
    with pytest.raises(StoreError, match="cannot be written"):
        scan_into(bench / "below.yaml", [])


def test_a_board_that_usb_cannot_tell_is_named_and_left_out_but_never_marked_as_gone(bench: Path) -> None:
    unclear = Attached(("nucleo-f401re", "nucleo-f446re"), "0703", "STM32 STLink")
    known = Attached(("nucleo-f401re", "nucleo-f446re"), "066E38", "STM32 STLink")
    changes = scan_into(bench, [known, unclear])
    assert changes.unclear == ("0703 is one of nucleo-f401re, nucleo-f446re",)
    assert (changes.new, changes.gone) == ((), ())
