"""`tinynas flash` by other flashers than a board's first."""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path

import pytest

from tests.cli.conftest import Tinynas


@pytest.mark.skipif(importlib.util.find_spec("pyocd") is None, reason="needs pyocd: pip install 'tinynas[lab]'")
def test_a_virtual_board_is_flashed_by_pyocd_under_the_benchmark_s_name(tinynas: Tinynas, models: Path) -> None:
    model = models / "good.tflite"
    result = tinynas("flash", model, "--board", "qemu-stm32f405", "--flasher", "pyocd", "--name", "vww01")
    assert result.status == 0, result.err
    assert hashlib.sha256(model.read_bytes()).hexdigest()[:12] in result.out
    log = Path(result.out.rpartition("serial log: ")[2].strip()).read_text()
    assert "m-model-[vww01]" in log


@pytest.mark.parametrize(
    ("board", "flasher", "message"),
    [
        ("qemu-stm32f405", "openocd", "qemu-stm32f405 is not flashed by openocd; known for it: pyocd"),
        ("qemu-stm32f405", "stlink", "unknown flasher 'stlink'; known: openocd"),
        ("host", "pyocd", "no flasher is known for it"),
    ],
)
def test_a_flasher_that_does_not_fit_is_refused(
    tinynas: Tinynas, models: Path, board: str, flasher: str, message: str
) -> None:
    result = tinynas("flash", models / "good.tflite", "--board", board, "--flasher", flasher)
    assert result.status == 2
    assert message in result.err
