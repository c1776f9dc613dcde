"""Installs missing tools through the system's package manager, for `tinynas doctor --fix`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from tinynas.errors import ToolError


def install(packages: list[str]) -> None:
    """Install Debian / Ubuntu `packages` with apt-get, as root or through sudo; output goes to stderr.

    Raises:
        ToolError: no apt-get, neither root nor sudo, or apt-get failed; the packages are named.
    """
    names = " ".join(packages)
    if shutil.which("apt-get") is None:
        raise ToolError(f"cannot install {names}: no apt-get here; install what corresponds to these Debian packages")
    prefix = _as_root(names)
    _call([*prefix, "apt-get", "update"], names)
    _call([*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", *packages], names)


def _as_root(names: str) -> list[str]:
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        raise ToolError(
            f"cannot install {names}: not root and no sudo; ask an administrator for: apt-get install {names}"
        )
    return ["sudo"]


def _call(command: list[str], names: str) -> None:
    status = subprocess.run(command, stdout=sys.stderr, check=False).returncode
    if status != 0:
        raise ToolError(f"`{' '.join(command)}` failed with status {status}; install by hand: apt-get install {names}")
