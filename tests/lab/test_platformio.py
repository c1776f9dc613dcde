"""`pio run` in firmware/ makes the image that tinynas makes, offline, and uploads it to the running virtual board."""

from __future__ import annotations

import configparser
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.lab.nets import small_net
from tinynas.engine.generate import generate
from tinynas.errors import BoardError
from tinynas.graph.tflite_reader import read_tflite
from tinynas.lab import server
from tinynas.lab.board import Board, known_boards, load_board
from tinynas.lab.build import build_image
from tinynas.lab.elf import read_elf
from tinynas.lab.platformio_core import is_prepared, prepare
from tinynas.lab.project import generate_model
from tinynas.plan.planner import plan
from tinynas.resources import resource

pytest.importorskip("platformio", reason="needs the extra [boards]")

PROJECT = resource("firmware")
SMOKE = PROJECT / "models" / "smoke.tflite"
OFFLINE = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pio")
    prepare(path / "core")
    return path


def _pio(folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    places = {"PLATFORMIO_CORE_DIR": str(folder / "core"), "PLATFORMIO_WORKSPACE_DIR": str(folder / "work")}
    command = [sys.executable, "-m", "platformio", "run", *arguments]
    environment = {**os.environ, **OFFLINE, **places, **more}
    return subprocess.run(
        command, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def _sections(model: Path, board: Board) -> Mapping[str, int]:
    graph = read_tflite(model.read_bytes())
    generated = generate(graph, plan(graph, board.core), sha256=hashlib.sha256(model.read_bytes()).hexdigest())
    return _in_memory(build_image(generated, board).elf)


def _in_memory(elf: Path) -> Mapping[str, int]:
    return {name: size for name, size in read_elf(elf).section_bytes.items() if name[1:4] not in {"sym", "str", "shs"}}


def test_every_board_has_an_environment_of_its_name() -> None:
    parser = configparser.ConfigParser()
    parser.read(PROJECT / "platformio.ini")
    found = {section: parser[section]["custom_board"] for section in parser.sections() if section.startswith("env:")}
    assert found == {f"env:{name.replace('-', '_')}": name for name in known_boards() if name != "host"}


def test_the_image_is_the_one_that_tinynas_builds(folder: Path) -> None:
    done = _pio(folder, "-e", "qemu_stm32f405")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "warning" not in done.stderr
    built = _in_memory(folder / "work" / "build" / "qemu_stm32f405" / "firmware.elf")
    assert built == _sections(SMOKE, load_board("qemu-stm32f405"))


@pytest.mark.parametrize("name", ["xiao-nrf52840-sense-uart", "qemu-microbit"])
def test_another_board_s_image_holds_the_user_s_model(name: str, folder: Path, tmp_path: Path) -> None:
    model, board = tmp_path / "mine.tflite", load_board(name)
    model.write_bytes(small_net(seed=7, channels=16))
    done = _pio(folder, "-e", board.environment, TINYNAS_MODEL=str(model))
    assert done.returncode == 0, done.stdout + done.stderr
    built = _in_memory(folder / "work" / "build" / board.environment / "firmware.elf")
    assert built == _sections(model, board)


def test_a_model_that_is_not_there_is_named(folder: Path) -> None:
    done = _pio(folder, "-e", "qemu_stm32f405", TINYNAS_MODEL="/nonesuch.tflite")
    assert done.returncode != 0
    assert "tinynas: /nonesuch.tflite: No such file" in done.stderr


@pytest.fixture
def running(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A virtual board in a process of its own; the environment in which it is found."""
    cache = {"TINYNAS_CACHE": str(tmp_path)}
    process = subprocess.Popen(
        [sys.executable, "-m", "tinynas.lab.server", "qemu-stm32f405"],
        env={**os.environ, **cache},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert "qemu-stm32f405 runs" in process.stdout.readline()
    yield cache
    process.terminate()
    process.wait(20)
    process.stdout.close()
    assert not list((tmp_path / "running").iterdir())


def test_upload_flashes_the_running_virtual_board(folder: Path, running: dict[str, str]) -> None:
    done = _pio(folder, "-e", "qemu_stm32f405", "-t", "upload", **running)
    assert done.returncode == 0, done.stdout + done.stderr
    assert hashlib.sha256(SMOKE.read_bytes()).hexdigest()[:12] in done.stdout


def test_a_board_that_does_not_run_cannot_be_flashed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYNAS_CACHE", str(tmp_path))
    with pytest.raises(BoardError, match=r"start one: python -m tinynas.lab.server qemu-stm32f405"):
        server.flash_running(load_board("qemu-stm32f405"), tmp_path / "firmware.elf")


def test_a_generated_library_holds_nothing_of_the_last_model(tmp_path: Path) -> None:
    (tmp_path / "old.c").write_text("#error")
    generate_model(SMOKE, load_board("qemu-stm32f405"), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} >= {"library.json", "model.c"}
    assert not (tmp_path / "old.c").exists()


def test_a_core_folder_that_lacks_a_file_is_not_prepared(tmp_path: Path) -> None:
    assert not is_prepared(tmp_path)
    prepare(tmp_path)
    assert is_prepared(tmp_path)
    (tmp_path / "packages" / "tool-scons" / ".piopm").write_text("{}")
    assert not is_prepared(tmp_path)


def test_what_platformio_notes_in_its_state_leaves_the_folder_prepared(tmp_path: Path) -> None:
    prepare(tmp_path)
    state = tmp_path / "appstate.json"
    state.write_text(json.dumps(json.loads(state.read_text()) | {"last_check": {"prune_system": 1795266458}}))
    assert is_prepared(tmp_path)
    state.write_text("{}")
    assert not is_prepared(tmp_path)
