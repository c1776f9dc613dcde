"""The doctor reports what is there, names what is missing, and installs only when told to."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Tinynas
from tinynas.cli import install, machine
from tinynas.cli.machine import Check, inspect_machine, missing_packages
from tinynas.errors import ToolError


def test_every_check_is_reported(tinynas: Tinynas) -> None:
    checks = json.loads(tinynas("doctor", "--json").out)
    names = " ".join(check["name"] for check in checks)
    for word in ("python", "gcc", "arm-none-eabi-gcc", "newlib", "qemu-system-arm", "cache", "disk", "serial"):
        assert word in names


def test_an_empty_path_misses_all_tools_and_says_how_to_get_them(
    tinynas: Tinynas, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    result = tinynas("doctor")
    assert result.status == 1
    for package in ("gcc-arm-none-eabi", "libnewlib-arm-none-eabi", "qemu-system-arm"):
        assert package in result.out
    assert "tinynas doctor --fix" in result.out


def test_a_missing_extra_is_a_note_not_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    version = machine._version_of
    monkeypatch.setattr(machine, "_version_of", lambda name: None if name == "torch" else version(name))
    check = next(check for check in inspect_machine() if check.name == "extra [train]")
    assert check.status == "warning"
    assert "tinynas[train]" in check.advice


@pytest.mark.parametrize(
    ("release", "status"),
    [
        ('ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n', "ok"),
        ('ID=ubuntu\nVERSION_ID="24.04"\nPRETTY_NAME="Ubuntu 24.04 LTS"\n', "ok"),
        ('ID=ubuntu\nVERSION_ID="20.04"\nPRETTY_NAME="Ubuntu 20.04 LTS"\n', "warning"),
        ('ID=other\nPRETTY_NAME="Other"\n', "warning"),
    ],
)
def test_the_distribution_is_judged(tmp_path: Path, release: str, status: str) -> None:
    path = tmp_path / "os-release"
    path.write_text(release)
    check = machine._system(path)
    assert check.status == status
    assert (check.advice != "") == (status == "warning")


def test_packages_are_asked_for_once_in_order() -> None:
    checks = [Check("a", "missing", "", ("x", "y")), Check("b", "missing", "", ("y",)), Check("c", "ok", "", ("z",))]
    assert missing_packages(checks) == ["x", "y"]


def test_fix_calls_apt_get_as_root_with_the_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[list[str]] = []

    def record(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        called.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr("tinynas.cli.install.shutil.which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr("tinynas.cli.install.subprocess.run", record)
    monkeypatch.setattr("tinynas.cli.install.os.geteuid", lambda: 1000)
    install.install(["qemu-system-arm"])
    assert all(command[0] == "sudo" for command in called)
    assert called[-1][-1] == "qemu-system-arm"


@pytest.mark.parametrize(("missing", "word"), [("apt-get", "no apt-get"), ("sudo", "no sudo")])
def test_what_cannot_be_installed_is_named(monkeypatch: pytest.MonkeyPatch, missing: str, word: str) -> None:
    monkeypatch.setattr(
        "tinynas.cli.install.shutil.which", lambda name: None if name == missing else f"/usr/bin/{name}"
    )
    monkeypatch.setattr("tinynas.cli.install.os.geteuid", lambda: 1000)
    with pytest.raises(ToolError, match=word) as error:
        install.install(["qemu-system-arm"])
    assert "qemu-system-arm" in str(error.value)
