"""What PlatformIO's descriptions of boards tell, and where they are found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.lab.described import NUCLEO
from tinynas.errors import BoardError
from tinynas.lab.platformio_boards import (
    facts_of_platformio,
    find_platformio_board,
    platform_of,
    read_platformio_board,
)


def test_a_chip_that_is_not_known_leaves_the_addresses_open() -> None:
    facts = facts_of_platformio(NUCLEO | {"build": {"mcu": "z80", "f_cpu": "4000000L"}}, "zx", "zx.json")
    assert not {"core", "flash_origin", "sram_origin"} & facts.keys()
    assert facts["clock_hz"] == 4_000_000


def test_a_platform_that_is_installed_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "platforms" / "ststm32" / "boards" / "nucleo_f746zg.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(NUCLEO))
    monkeypatch.setenv("PLATFORMIO_CORE_DIR", str(tmp_path))
    assert find_platformio_board("nucleo_f746zg") == path
    assert read_platformio_board(path) == NUCLEO
    assert platform_of(path) is None
    about = {"name": "ststm32", "version": "19.6.0", "spec": {"owner": "platformio", "uri": None}}
    (path.parents[1] / ".piopm").write_text(json.dumps(about))
    assert platform_of(path) == "platformio/ststm32@19.6.0"
    about["spec"] = {"owner": None, "uri": "git+https://example.org/platform.git#1234"}
    (path.parents[1] / ".piopm").write_text(json.dumps(about))
    assert platform_of(path) == "https://example.org/platform.git#1234"
    with pytest.raises(BoardError, match="no platform installed here; install its platform"):
        find_platformio_board("nucleo_f999")


@pytest.mark.parametrize("text", ["", "[]", "{", '{"build": 1}'])
def test_a_file_that_describes_no_board_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(BoardError, match=r"x\.json: (wanted PlatformIO's|not JSON)"):
        facts_of_platformio(read_platformio_board(path), "x", "x.json")
