"""UF2: a bootloader double reads the file as the format's specification says, and restarts when it has all."""

from __future__ import annotations

import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from tests.lab.flashers.elves import write_elf
from tinynas.errors import BoardError, FlashError
from tinynas.lab.board import load_board
from tinynas.lab.elf import Segment
from tinynas.lab.flashers import uf2
from tinynas.lab.flashers.base import Target
from tinynas.lab.flashers.uf2 import Uf2Flasher
from tinynas.lab.flashers.uf2_file import uf2_of

PICO = load_board("raspberry-pi-pico")
FAMILY = 0xE48BFF56  # RP2040, in the UF2 project's list
FLASH = 0x10000000


def segments(seed: int, *places: tuple[int, int]) -> list[Segment]:
    """Random bytes at (address, size)."""
    rng = np.random.default_rng(seed)
    return [Segment(address, rng.bytes(size)) for address, size in places]


def bootloader(content: bytes, family: int) -> dict[int, int]:
    """Address to byte, as a chip of `family` would write it; refuses what the specification forbids."""
    memory: dict[int, int] = {}
    assert len(content) % 512 == 0
    for index in range(len(content) // 512):
        block = content[512 * index : 512 * (index + 1)]
        start0, start1, flags, address, size, number, count, found = struct.unpack_from("<8I", block)
        assert (start0, start1) == (0x0A324655, 0x9E5D5157)
        assert struct.unpack_from("<I", block, 508) == (0x0AB16F30,)
        assert flags & 0x2000 and found == family
        assert number == index and count == len(content) // 512
        assert address % 256 == 0 and size == 256
        assert address not in memory  # a page is written once
        memory |= {address + i: byte for i, byte in enumerate(block[32 : 32 + size])}
    return memory


@contextmanager
def drive(folder: Path, board_id: str, *, restarts: bool = True) -> Iterator[list[dict[int, int]]]:
    """A bootloader's drive; when all blocks are there it is taken away, and what was flashed is in the list."""
    (folder / "INFO_UF2.TXT").write_text(f"UF2 Bootloader v3.0\r\nModel: Raspberry Pi RP2\r\nBoard-ID: {board_id}\r\n")
    flashed: list[dict[int, int]] = []
    stop = threading.Event()

    def run() -> None:
        while not stop.wait(0.01):
            content = b"".join(path.read_bytes() for path in folder.glob("*.uf2"))
            if len(content) >= 512 and len(content) == 512 * struct.unpack_from("<I", content, 24)[0] and restarts:
                flashed.append(bootloader(content, FAMILY))
                (folder / "INFO_UF2.TXT").unlink()
                return

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield flashed
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize(
    "places",
    [
        [(FLASH, 256)],
        [(FLASH, 1)],
        [(FLASH + 255, 2)],  # over a page's end
        [(FLASH, 300), (FLASH + 300, 5), (FLASH + 9000, 77)],  # two in one page, a gap
        [(FLASH + 2 * 1024 * 1024 - 4096, 4096)],
    ],
)
def test_every_byte_of_the_image_gets_to_its_address(places: list[tuple[int, int]]) -> None:
    given = segments(1, *places)
    written = bootloader(uf2_of(given, PICO, FAMILY), FAMILY)
    for segment in given:
        assert bytes(written.pop(segment.address + i) for i in range(len(segment.data))) == segment.data
    assert set(written.values()) <= {0xFF}  # the rest of their pages is left erased


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "nothing to write"),
        ([Segment(0x20000000, b"x")], "bytes at 0x20000000 to 0x20000001, flash is 0x10000000"),
        ([Segment(FLASH - 1, b"xx")], "flash is 0x10000000"),
        ([Segment(FLASH, b"ab"), Segment(FLASH + 1, b"c")], "two values to 0x10000001"),
    ],
)
def test_an_image_that_cannot_be_written_is_refused(given: list[Segment], message: str) -> None:
    with pytest.raises(FlashError, match=message):
        uf2_of(given, PICO, FAMILY)


def test_the_drive_gets_the_image_and_goes_away(tmp_path: Path) -> None:
    given = segments(2, (FLASH, 70_000))
    elf = write_elf(tmp_path / "firmware.elf", given)
    volume = tmp_path / "drive"
    volume.mkdir()
    with drive(volume, "RPI-RP2") as flashed:
        Uf2Flasher().flash(elf, PICO, Target(volume=volume))
    assert bytes(flashed[0][FLASH + i] for i in range(70_000)) == given[0].data


def test_another_board_s_drive_is_refused(tmp_path: Path) -> None:
    elf = write_elf(tmp_path / "firmware.elf", segments(3, (FLASH, 10)))
    with drive(tmp_path, "RP2350"), pytest.raises(FlashError, match="drive of a RP2350, raspberry-pi-pico wants RPI"):
        Uf2Flasher().flash(elf, PICO, Target(volume=tmp_path))
    assert not list(tmp_path.glob("*.uf2"))


def test_a_folder_that_is_no_drive_is_refused(tmp_path: Path) -> None:
    elf = write_elf(tmp_path / "firmware.elf", segments(3, (FLASH, 10)))
    with pytest.raises(FlashError, match=r"no INFO_UF2\.TXT there"):
        Uf2Flasher().flash(elf, PICO, Target(volume=tmp_path))


def test_without_a_drive_the_way_to_get_it_is_told(tmp_path: Path) -> None:
    elf = write_elf(tmp_path / "firmware.elf", segments(3, (FLASH, 10)))
    with pytest.raises(FlashError, match="no drive RPI-RP2 is mounted; hold the board's BOOTSEL"):
        Uf2Flasher().flash(elf, PICO, Target(probe="nobody has this"))


def test_a_board_that_does_not_restart_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uf2, "_REBOOT_S", 0.2)
    elf = write_elf(tmp_path / "firmware.elf", segments(4, (FLASH, 10)))
    start_s = time.monotonic()
    with drive(tmp_path, "RPI-RP2", restarts=False), pytest.raises(FlashError, match="does not restart the board"):
        Uf2Flasher().flash(elf, PICO, Target(volume=tmp_path))
    assert time.monotonic() - start_s < 5


def test_it_cannot_restart_a_board() -> None:
    with pytest.raises(BoardError, match="press the board's reset button"):
        Uf2Flasher().reset(PICO, Target())
