"""uhubctl is a script of the test's here: no hub with switchable ports is at hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinynas.errors import ToolError
from tinynas.lab.power import Power, Uhubctl, power_cycle

HUB = Power(uhubctl=Uhubctl(location="1-1.4", port=2), off_s=0.5)


def install(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / "uhubctl"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_the_hub_is_told_location_port_and_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, f'echo "$@" > {tmp_path}/said', monkeypatch)
    power_cycle(HUB)
    assert (tmp_path / "said").read_text() == "-l 1-1.4 -p 2 -a cycle -d 0.5\n"


def test_a_command_of_the_users_runs_without_a_shell(tmp_path: Path) -> None:
    power_cycle(Power(command=f"touch '{tmp_path}/a; b'"))
    assert (tmp_path / "a; b").exists()


def test_what_the_tool_says_is_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "echo 'No compatible devices detected!' >&2; exit 3", monkeypatch)
    with pytest.raises(ToolError, match=r"failed \(3\): No compatible devices detected!"):
        power_cycle(HUB)


def test_a_missing_tool_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match="apt-get install uhubctl"):
        power_cycle(HUB)


def test_a_tool_that_hangs_is_given_up() -> None:
    with pytest.raises(ToolError, match=r"does not end within 0\.2 s"):
        power_cycle(Power(command="sleep 60"), limit_s=0.2)
