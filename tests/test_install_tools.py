"""The script that `make test` starts for the programs of single tests, with a package manager of our own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

SCRIPT = Path(__file__).parent / "install-tools.sh"
TOOLS = ("g++", "cmake", "dfu-util", "openocd", "xtensa-lx106-elf-gcc", "initdb")


def command(folder: Path, name: str, text: str = "") -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def run(folder: Path) -> subprocess.CompletedProcess[str]:
    """With `folder` as all of PATH; whoever runs this is root there."""
    command(folder, "id", "echo 0")
    (folder / "env").symlink_to("/usr/bin/env")
    environment = {**os.environ, "PATH": str(folder)}
    return subprocess.run(["/bin/sh", SCRIPT], env=environment, capture_output=True, text=True, check=False)


def apt_get(folder: Path, unknown: str = "none") -> Path:
    """It notes what it is asked for in the file returned; a call that asks for `unknown` fails as a whole."""
    calls, chmod = folder / "calls", "/bin/chmod"
    command(
        folder,
        "apt-get",
        f"""echo "$@" >> {calls}
for word; do [ "$word" != {unknown} ] || exit 100; done
for word; do echo '#!/bin/sh' > {folder}/"$word"; {chmod} 755 {folder}/"$word"; done""",
    )
    return calls


def test_without_a_package_manager_each_missing_package_is_named(tmp_path: Path) -> None:
    command(tmp_path, "openocd")
    done = run(tmp_path)
    assert done.returncode == 0
    (line,) = done.stderr.splitlines()
    assert {"cmake", "dfu-util", "gcc-xtensa-lx106"} <= set(line.split())
    assert "openocd" not in line


def test_only_what_is_missing_is_asked_for(tmp_path: Path) -> None:
    for tool in TOOLS:
        command(tmp_path, tool)
    (tmp_path / "dfu-util").unlink()
    calls = apt_get(tmp_path)
    assert run(tmp_path).returncode == 0
    asked = {word for line in calls.read_text().splitlines() if line.startswith("install") for word in line.split()}
    assert "dfu-util" in asked
    assert not {"cmake", "openocd", "gcc-xtensa-lx106"} & asked


def test_one_unknown_package_does_not_keep_back_the_others(tmp_path: Path) -> None:
    apt_get(tmp_path, unknown="dfu-util")
    done = run(tmp_path)
    assert done.returncode == 0
    assert (tmp_path / "openocd").exists() and (tmp_path / "cmake").exists()
    assert "dfu-util" in done.stderr and "openocd" not in done.stderr
