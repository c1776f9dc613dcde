"""labgrid's own coordinator, exporter and client, on this machine's loopback, with a virtual board behind them."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.lab.nets import small_net
from tinynas.errors import BusyError, ConfigError, PortLostError, ToolError
from tinynas.lab.bench import hold_entry, open_entry
from tinynas.lab.hwmap import BoardEntry, read_map
from tinynas.lab.measure import measure
from tinynas.lab.places import acquired, place_holder, serial_url
from tinynas.resources import resource

START_S = 240.0  # a loaded machine starts Python slowly


@pytest.fixture(scope="module")
def labgrid() -> Path:
    """The folder of labgrid's programs: `make test` puts them into an environment of their own."""
    ours = resource("boards").parent / "build" / "labgrid" / "bin"
    found = shutil.which("labgrid-coordinator", path=f"{ours}:{os.environ['PATH']}")
    if found is None:
        pytest.skip("labgrid is not installed; make build/labgrid/.installed")
    return Path(found).parent


@pytest.fixture(scope="module")
def place(labgrid: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BoardEntry]:
    """The entry of a board that a served virtual board, an exporter and a coordinator make a place."""
    folder = tmp_path_factory.mktemp("labgrid")
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        coordinator = f"127.0.0.1:{free_port()}"
        patch.setenv("LG_COORDINATOR", coordinator)
        patch.setenv("LABGRID_CLIENT", str(labgrid / "labgrid-client"))
        patch.setenv("TINYNAS_LOCKS", str(folder / "locks"))
        server = [sys.executable, "-m", "tinynas.lab.server", "qemu-stm32f405", "0"]
        apart = f"TINYNAS_CACHE={folder}/cache"  # the served board is known by a file there; other tests serve theirs
        said = stack.enter_context(running(["env", apart, *server], folder, "board", r"on 127\.0\.0\.1:(\d+)"))
        resources = f"far:\n  NetworkSerialPort: {{host: 127.0.0.1, port: {said[1]}, protocol: raw}}\n"
        (folder / "exporter.yaml").write_text(resources)
        stack.enter_context(running([labgrid / "labgrid-coordinator", "-l", coordinator], folder, "coordinator"))
        wait_for(lambda: client(labgrid, "places").returncode == 0)
        exporter = [labgrid / "labgrid-exporter", "-c", coordinator, "-n", "bench2", folder / "exporter.yaml"]
        stack.enter_context(running(exporter, folder, "exporter"))
        wait_for(lambda: b"bench2/far" in client(labgrid, "resources").stdout)
        client(labgrid, "-p", "far-1", "create", check=True)
        client(labgrid, "-p", "far-1", "add-match", "bench2/far/*", check=True)
        client(labgrid, "-p", "empty", "create", check=True)
        upload = f"env {apart} {sys.executable} -m tinynas.lab.upload qemu-stm32f405 {{elf}}"
        (folder / "map.yaml").write_text(
            f"- id: far-1\n  board: qemu-stm32f405\n  place: far-1\n  flash_command: {upload}\n"
        )
        yield read_map(folder / "map.yaml")[0]


@contextmanager
def running(command: Sequence[object], folder: Path, name: str, ready: str = "") -> Iterator[re.Match[str]]:
    """A process, once it has printed what `ready` matches."""
    log = folder / f"{name}.log"
    with log.open("wb") as file:
        process = subprocess.Popen([str(word) for word in command], stdout=file, stderr=file, cwd=folder)
    try:
        wait_for(lambda: re.search(ready, log.read_text()) is not None)
        found = re.search(ready, log.read_text())
        assert found is not None
        yield found
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def client(labgrid: Path, *words: str, check: bool = False) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([labgrid / "labgrid-client", *words], capture_output=True, timeout=START_S, check=check)


def wait_for(condition: Callable[[], bool], limit_s: float = START_S) -> None:
    deadline_s = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline_s, "not in time"
        time.sleep(0.1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_a_model_is_flashed_and_measured_on_a_board_of_another_machine(place: BoardEntry, tmp_path: Path) -> None:
    with hold_entry(place), open_entry(place, tmp_path / "serial.log") as session:
        found = measure(small_net(0), session.board, session=session, repeats=1)
    assert found.bit_exact
    assert found.instructions
    assert "m-ready" in (tmp_path / "serial.log").read_text()


def test_a_place_that_another_user_has_is_named_and_waited_for(place: BoardEntry, labgrid: Path) -> None:
    """The other one releases it as soon as we wait."""
    told: list[str] = []

    def as_other(command: str) -> None:
        words = ["env", "LG_USERNAME=someone", "LG_HOSTNAME=elsewhere", str(labgrid / "labgrid-client"), "-p", "far-1"]
        subprocess.run([*words, command], check=True, capture_output=True, timeout=START_S)

    def release(reason: str) -> None:
        told.append(reason)
        as_other("release")

    as_other("acquire")
    assert place_holder("far-1") == "elsewhere/someone"
    with pytest.raises(BusyError, match="someone"), hold_entry(place):
        pass
    with hold_entry(place, wait_s=START_S, on_wait=release):
        assert serial_url("far-1").startswith("socket://127.0.0.1:")
    assert ["someone" in reason for reason in told] == [True]
    assert place_holder("far-1") is None


def test_what_a_dead_process_of_ours_left_acquired_is_taken_over(place: BoardEntry, labgrid: Path) -> None:
    client(labgrid, "-p", "far-1", "acquire", check=True)
    with hold_entry(place):
        pass
    assert client(labgrid, "-p", "far-1", "release").returncode != 0, "it was released"


def test_a_place_without_a_board_and_an_unknown_place_are_told_apart(place: BoardEntry) -> None:
    with pytest.raises(PortLostError, match="no serial port"), acquired("empty"):
        serial_url("empty")
    with pytest.raises(ConfigError, match="labgrid-client -p nowhere create"), acquired("nowhere"):
        pass


def test_without_a_coordinator_it_says_so(place: BoardEntry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LG_COORDINATOR", "127.0.0.1:9")
    with pytest.raises(ToolError, match=r"[Cc]oordinator"), acquired("far-1"):
        pass


def test_without_labgrid_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LABGRID_CLIENT", raising=False)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ToolError, match="pip install labgrid"), acquired("far-1"):
        pass
