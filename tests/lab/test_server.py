"""A virtual board that stays, and several who want to flash it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.toy import toy
from tinynas.lab.board import Board
from tinynas.lab.build import build_image

SERVER = (sys.executable, "-m", "tinynas.lab.server", "qemu-stm32f405")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    monkeypatch.setenv("TINYNAS_CACHE", str(tmp_path / "cache"))  # its state file, and so which server is found
    process = subprocess.Popen(SERVER, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert "runs" in process.stdout.readline()
    yield process
    process.terminate()
    process.communicate(timeout=20)


def test_several_processes_that_flash_it_take_turns(
    stm32: Board, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Each is told of the image that it wrote itself."""
    images = []
    for ops in (2, 3):
        generated = toy()
        source = generated.files["model.c"].replace(b"2, 2, 1, inputs", b"%d, 2, 1, inputs" % ops)
        images.append(build_image(type(generated)("main", {"model.c": source}, (), generated.arena_bytes), stm32).elf)
    request.getfixturevalue("server")
    uploads = [
        subprocess.Popen(
            [sys.executable, "-m", "tinynas.lab.upload", "qemu-stm32f405", str(images[k % 2])],
            stdout=subprocess.PIPE,
            text=True,
        )
        for k in range(4)
    ]
    for k, upload in enumerate(uploads):
        said, _ = upload.communicate(timeout=60)
        assert upload.returncode == 0
        assert f"a model of {2 + k % 2} ops" in said


def test_it_is_not_run_twice(server: subprocess.Popen[str]) -> None:
    second = subprocess.run(SERVER, capture_output=True, text=True, timeout=60, check=False)
    assert second.returncode == 1
    assert "is in use by" in second.stderr
    assert f"process {server.pid} for running qemu-stm32f405" in second.stderr
