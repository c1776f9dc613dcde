from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.toy import toy
from tinynas.errors import ToolError
from tinynas.lab.board import Board
from tinynas.lab.build import build_image
from tinynas.lab.elf import read_elf


def test_segments_start_at_flash_with_the_handler_stack_and_reset_vector(stm32: Board) -> None:
    image = build_image(toy(), stm32)
    first = read_elf(image.elf).segments[0]
    assert first.address == stm32.flash.origin
    stack = int.from_bytes(first.data[:4], "little")
    reset = int.from_bytes(first.data[4:8], "little")
    assert stm32.sram.origin < stack <= stm32.sram.origin + stm32.sram.size_bytes
    assert reset % 2 == 1, "Thumb"


def test_anything_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.elf"
    path.write_bytes(b"not an image")
    with pytest.raises(ToolError, match="wanted a 32-bit little-endian ELF image"):
        read_elf(path)
