"""esptool: the real one makes the application and reads every option; there is no chip to write to."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab.flashers.elves import ARM, XTENSA, write_elf
from tinynas.errors import BoardError, FlashError
from tinynas.lab.board import load_board
from tinynas.lab.elf import Segment
from tinynas.lab.flashers.base import Target
from tinynas.lab.flashers.esptool import EspToolFlasher

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("esptool") is None, reason="needs esptool: pip install 'tinynas[lab]'"
)
BOARDS = ["esp32-devkitc", "esp32-s3-devkitc"]
IRAM = {"esp32-devkitc": 0x40080000, "esp32-s3-devkitc": 0x40374000}


def image(folder: Path, board: str, machine: int = XTENSA) -> Path:
    return write_elf(folder / "firmware.elf", [Segment(IRAM[board], bytes(range(256)))], machine)


@pytest.mark.parametrize("board", BOARDS)
def test_the_real_esptool_takes_every_option_and_finds_no_port(tmp_path: Path, board: str) -> None:
    """It has made the application by then."""
    (tmp_path / "bootloader.bin").write_bytes(b"\xe9")
    with pytest.raises(FlashError, match=rf"{board}: esptool could not flash it: Could not open /dev/nonesuch"):
        EspToolFlasher().flash(image(tmp_path, board), load_board(board), Target(port="/dev/nonesuch"))


@pytest.mark.parametrize("board", BOARDS)
def test_the_real_esptool_reads_the_options_of_a_restart(board: str) -> None:
    with pytest.raises(FlashError, match="could not restart it: Could not open /dev/nonesuch"):
        EspToolFlasher().reset(load_board(board), Target(port="/dev/nonesuch"))


def test_another_chip_s_image_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FlashError, match=r"esptool could not read .*firmware\.elf"):
        EspToolFlasher().flash(image(tmp_path, BOARDS[0], ARM), load_board(BOARDS[0]), Target(port="/dev/nonesuch"))


def test_a_port_must_be_known(tmp_path: Path) -> None:
    with pytest.raises(BoardError, match="esptool needs its serial port"):
        EspToolFlasher().flash(image(tmp_path, BOARDS[0]), load_board(BOARDS[0]), Target())


@pytest.mark.parametrize("board", BOARDS)
def test_what_is_written_is_the_application_with_its_neighbours(
    tmp_path: Path, board: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Offsets of the ESP-IDF; the application is one that the real esptool says is valid."""
    (tmp_path / "bootloader.bin").write_bytes(b"")
    (tmp_path / "partitions.bin").write_bytes(b"")
    elf = image(tmp_path, board)
    script = tmp_path / "stand_in.py"  # keeps the application, which is in a folder of its own for that time
    script.write_text(
        f"import shutil, subprocess, sys\nif 'write-flash' in sys.argv: shutil.copy(sys.argv[-1], {str(tmp_path)!r})\n"
        f"print(*sys.argv[1:], sep='\\n', file=open({str(tmp_path / 'arguments')!r}, 'w'))\n"
        "if 'elf2image' in sys.argv: sys.exit(subprocess.call([sys.executable, '-m', 'esptool', *sys.argv[1:]]))\n"
    )
    monkeypatch.setattr("tinynas.lab.flashers.esptool.module", lambda *_: [sys.executable, str(script)])
    EspToolFlasher().flash(elf, load_board(board), Target(port="/dev/ttyUSB7"))
    arguments = (tmp_path / "arguments").read_text().splitlines()
    boot = {"esp32-devkitc": "0x1000", "esp32-s3-devkitc": "0x0"}[board]
    places = arguments[arguments.index("detect") + 1 :]
    assert places[::2] == [boot, "0x8000", "0x10000"]
    assert places[1:4:2] == [str(tmp_path / "bootloader.bin"), str(tmp_path / "partitions.bin")]
    assert arguments[arguments.index("--port") + 1] == "/dev/ttyUSB7"
    told = subprocess.run(
        [sys.executable, "-m", "esptool", "image-info", tmp_path / "app.bin"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "(valid)" in told.stdout and f"{IRAM[board]:#010x}" in told.stdout
