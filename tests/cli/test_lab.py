"""`tinynas lab`: help, exit statuses, and a real Ctrl-C."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.cli.conftest import Tinynas
from tests.lab.nets import small_net
from tinynas.cli import lab
from tinynas.lab.locks import board_lock

SUITE = 'name = "s"\n[[models]]\npath = "*.tflite"\n'


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tinynas: Tinynas) -> Path:
    """The current folder: one model, one virtual board, a suite."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TINYNAS_LOCKS", str(tmp_path / "locks"))
    for name in ("TINYNAS_MAP", "TINYNAS_STORE", "TINYNAS_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "net.tflite").write_bytes(small_net(0))
    (tmp_path / "suite.toml").write_text(SUITE)
    assert tinynas("lab", "scan", "--virtual", "1").status == 0
    return tmp_path


@pytest.mark.parametrize("name", [name for name, _, _ in lab.COMMANDS])
def test_every_command_has_help_with_an_example_whose_options_exist(tinynas: Tinynas, name: str) -> None:
    text = " ".join(tinynas("lab", name, "--help").out.split())
    example = next(example for known, _, example in lab.COMMANDS if known == name)
    assert f"Example: tinynas lab {name}" in text
    assert all(option in text for option in re.findall(r" (--?[a-z-]+)", example))


def test_a_regression_is_status_1_the_labs_trouble_3_and_a_users_error_2(tinynas: Tinynas, bench: Path) -> None:
    assert tinynas("lab", "run", "suite.toml").status == 0
    assert "1 of 1 cases" in tinynas("lab", "baseline", "update", "suite.toml").out
    path = bench / "baseline.json"
    counted = json.loads(path.read_text())["cases"]["net@qemu-stm32f405/engine"][0]["metrics"]["instructions"]
    path.write_text(path.read_text().replace(f'"instructions": {counted}', f'"instructions": {counted - 1}'))

    worse = tinynas("lab", "run", "suite.toml", "--junit", "junit.xml", "--json")
    assert worse.status == 1
    assert json.loads(worse.out)["cases"][0]["status"] == "failed"
    assert ET.parse(bench / "junit.xml").getroot()[0].attrib["failures"] == "1"

    with board_lock("qemu-stm32f405-1", "a demo"):
        busy = tinynas("lab", "run", "suite.toml", "--wait", "0")
    assert busy.status == 3
    assert "in use by" in busy.out
    assert "a demo" in busy.out

    report = tinynas("lab", "report", "suite.toml", "-o", "h.html")
    assert "history of 3 runs" in report.out
    assert "no board left" in (bench / "h.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "none.toml"), "none.toml: No such file"),
        (("run", "suite.toml", "--map", "none.yaml"), "tinynas lab scan -o none.yaml"),
        (("run", "suite.toml", "--build-only", "--test-only"), "exclude each other"),
        (("run", "suite.toml", "--test-only"), "build them with: tinynas lab run SUITE --build-only"),
        (("baseline", "update", "suite.toml"), "no finished run"),
        (("release", "00"), "no reservation 00"),
        (("reserve", "--board", "nucleo-f746zg"), "no board of the hardware map fits"),
        (("reserve", "--refresh", "00"), "no reservation 00"),
        (("scan", "--as", "066E38"), "wanted SERIAL=BOARD"),
        (("report", "suite.toml", "--store", "mysql://lab:secret@h/x"), "lab:***@h/x"),
    ],
)
def test_what_the_user_can_mend_is_one_line(
    tinynas: Tinynas, bench: Path, arguments: tuple[str, ...], words: str
) -> None:
    result = tinynas("lab", *arguments)
    assert result.status == 2
    assert words in result.err
    assert len(result.err.splitlines()) == 1
    assert "secret" not in result.err


def test_who_tells_free_used_reserved_and_missing_boards_apart(tinynas: Tinynas, bench: Path) -> None:
    def state() -> str:
        rows = json.loads(tinynas("lab", "who", "--json").out)
        return str(rows[0]["state"])

    assert state() == "free"
    with board_lock("qemu-stm32f405-1", "a demo"):
        assert re.search(r"in use by .*process \d+ for a demo", state())
    token = tinynas("lab", "reserve", "--purpose", "lens").out.strip()
    assert re.search("reserved by .* for lens, 30 min left", state())
    assert "qemu-stm32f405-1 is free again" in tinynas("lab", "release", token).out
    path = bench / "map.yaml"
    path.write_text(path.read_text().replace("true", "false"))
    assert state() == "not connected"


def test_ctrl_c_leaves_the_boards_free_and_the_same_command_goes_on(bench: Path) -> None:
    for seed in range(1, 4):
        (bench / f"net{seed}.tflite").write_bytes(small_net(seed))
    command = [sys.executable, "-c", "from tinynas.cli.main import run; run()", "lab", "run", "suite.toml"]
    first = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    assert first.stderr is not None
    while "1/4" not in first.stderr.readline():
        assert first.poll() is None
    first.send_signal(signal.SIGINT)
    said = first.communicate(timeout=60)[1]
    assert first.returncode == 130
    assert "the same command continues" in said
    assert not _processes_in(bench), "QEMU and workers are gone"

    second = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert second.returncode == 0, second.stderr
    assert "going on with" in second.stderr
    attempts = next(bench.glob("runs/lab/s/*/attempts.jsonl")).read_text().splitlines()
    assert len(attempts) == 4, "nothing is run twice"


def _processes_in(folder: Path) -> list[str]:
    """Command lines of other processes whose current folder is `folder`; a killed one may take a moment to be gone."""
    deadline_s = time.monotonic() + 10
    while (found := _now_in(folder)) and time.monotonic() < deadline_s:
        time.sleep(0.1)
    return found


def _now_in(folder: Path) -> list[str]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if int(process.name) != os.getpid() and (process / "cwd").readlink() == folder:
                found.append((process / "cmdline").read_text().replace("\0", " "))
        except OSError:  # gone, or not ours to see
            continue
    return found
