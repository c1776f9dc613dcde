"""What a run's figures depend on besides the models: versions, commit, machine."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
from pathlib import Path

import tinynas
from tinynas.lab.regression.result import Surroundings


def surroundings(folder: Path, *, with_emulator: bool) -> Surroundings:
    """Those of a suite in `folder`."""
    commit = _say(["git", "-C", str(folder), "rev-parse", "HEAD"])
    return Surroundings(
        tinynas=tinynas.__version__,
        python=platform.python_version(),
        host=platform.node(),
        machine=platform.platform(),
        git_commit=commit or None,
        git_dirty=bool(commit and _say(["git", "-C", str(folder), "status", "--porcelain", "--untracked-files=no"])),
        emulator=qemu_version() if with_emulator else None,
    )


def qemu_version() -> str | None:
    """`7.2.22 (Debian 1:7.2+dfsg-7)`; None where there is none."""
    found = re.search(r"version (.*)", _say(["qemu-system-arm", "--version"]))
    return found[1] if found else None


def _say(command: list[str]) -> str:
    """What a tool prints; nothing where it is missing or fails."""
    if shutil.which(command[0]) is None:
        return ""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
