"""What this machine has for tinynas: one `Check` per thing that is needed, with the way to get it."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tinynas.errors import ToolError
from tinynas.lab.board import Board, known_boards
from tinynas.lab.platformio_core import core_folder, is_prepared
from tinynas.resources import cache_dir

Status = Literal["ok", "missing", "warning", "info"]
MIN_PYTHON = (3, 11)
MIN_FREE_BYTES = 2 * 1024**3  # build cache, run folders and a data set of a few thousand images
TESTED_SYSTEMS = {("debian", "12"): "tested", ("ubuntu", "24.04"): "same packages, Python 3.12"}
EXTRAS = {
    "train": ("torch", "scikit-learn"),
    "verify": ("tensorflow-cpu", "tensorflow"),  # either one
    "boards": ("platformio", "scons"),
    "lab": ("pyocd", "esptool"),
    "postgres": ("psycopg",),
}
NEWLIB_PROBES = ("libc_nano.a", "nano.specs")


@dataclass(frozen=True)
class Check:
    """One thing looked for. `apt` names the Debian / Ubuntu packages that bring it, `advice` any other way."""

    name: str
    status: Status
    found: str
    apt: tuple[str, ...] = ()
    advice: str = ""


def inspect_machine() -> list[Check]:
    """Every check, in the order in which a first set-up meets them. Takes under two seconds, changes nothing."""
    return [
        _python(),
        _system(Path("/etc/os-release")),
        *_packages(),
        _tool("gcc", "compiles models for `host`", ("gcc", "libc6-dev")),
        _tool("arm-none-eabi-gcc", "compiles firmware", ("gcc-arm-none-eabi",)),
        _newlib(),
        *_qemu(),
        *_platformio(),
        *_flashers(),
        _cache(cache_dir()),
        *_disks({"cache": cache_dir(), "working folder": Path.cwd()}),
        *_serial_devices(),
    ]


def missing_packages(checks: list[Check]) -> list[str]:
    """The Debian / Ubuntu packages that would bring what is missing; each once, in order."""
    return list(dict.fromkeys(package for check in checks if check.status == "missing" for package in check.apt))


def _python() -> Check:
    wanted = ".".join(map(str, MIN_PYTHON))
    if sys.version_info[:2] >= MIN_PYTHON:
        return Check("python", "ok", f"{platform.python_version()} at {sys.executable}")
    advice = f"tinynas needs Python {wanted} or newer"
    return Check("python", "missing", platform.python_version(), ("python3.11", "python3.11-venv"), advice)


def _system(os_release: Path) -> Check:
    """The distribution; Debian 12 is the one that the tests run on."""
    if not os_release.is_file():
        advice = "make and doctor --fix install packages on Debian and Ubuntu only; elsewhere install them by hand"
        return Check("system", "warning", platform.platform(), advice=advice)
    facts = dict(line.split("=", 1) for line in os_release.read_text().splitlines() if "=" in line)
    name, version = (facts.get(key, "").strip('"') for key in ("ID", "VERSION_ID"))
    found = facts.get("PRETTY_NAME", platform.platform()).strip('"')
    if note := TESTED_SYSTEMS.get((name, version)):
        return Check("system", "ok", f"{found} ({note})")
    advice = "tested on Debian 12; Ubuntu works where Python 3.11 or newer is there (24.04 and later)"
    return Check("system", "warning", found, advice=advice)


def _packages() -> Iterator[Check]:
    """Python packages: those always needed, then one check per extra."""
    for requirement in importlib.metadata.requires("tinynas") or []:
        if "extra ==" not in requirement:
            name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
            version = _version_of(name)
            advice = "" if version else f"pip install '{requirement}'"
            yield Check(f"python: {name}", "ok" if version else "missing", version or "not installed", advice=advice)
    for extra, names in EXTRAS.items():
        yield _extra(extra, names)


def _extra(extra: str, names: tuple[str, ...]) -> Check:
    versions = {name: _version_of(name) for name in names}
    found = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    complete = bool(found) if extra == "verify" else all(versions.values())
    uses = {
        "train": "new, run, convert from checkpoints",
        "verify": "convert from Keras, extra checks",
        "boards": "pio run in firmware/",
        "lab": "flashing by pyOCD and esptool",
        "postgres": "a measurement store that a team shares",
    }[extra]
    advice = "" if complete else f"pip install 'tinynas[{extra}]' (needed by: {uses})"
    return Check(f"extra [{extra}]", "ok" if complete else "warning", found or "not installed", advice=advice)


def _version_of(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _tool(name: str, use: str, apt: tuple[str, ...]) -> Check:
    path = shutil.which(name)
    if path is None:
        return Check(name, "missing", f"not in PATH ({use})", apt)
    return Check(name, "ok", f"{_first_line([path, '--version'])} at {path}")


def _newlib() -> Check:
    """The C library for bare-metal Arm; the compiler prints a bare file name back when it has none."""
    compiler = shutil.which("arm-none-eabi-gcc")
    found = {name: _first_line([compiler, f"-print-file-name={name}"]) for name in NEWLIB_PROBES} if compiler else {}
    if found and all(Path(path).is_absolute() for path in found.values()):
        return Check("newlib", "ok", found["libc_nano.a"])
    return Check("newlib", "missing", "C library for bare-metal Arm not found", ("libnewlib-arm-none-eabi",))


def _qemu() -> Iterator[Check]:
    """The emulator, and whether it has the machine of every virtual board."""
    check = _tool("qemu-system-arm", "runs the virtual boards", ("qemu-system-arm",))
    yield check
    if check.status != "ok":
        return
    listed = _output([str(shutil.which("qemu-system-arm")), "-M", "help"])
    machines = {line.split()[0] for line in listed.splitlines()[1:] if line.split()}
    for path in known_boards().values():
        board = Board.load(path)
        if board.virtual is not None:
            there = board.virtual.machine in machines
            advice = "" if there else "install a newer QEMU (7.2 has all of them)"
            yield Check(
                f"machine {board.virtual.machine}", "ok" if there else "warning", f"for {board.name}", (), advice
            )


def _platformio() -> Iterator[Check]:
    """The folder from which `pio run` takes SCons instead of PlatformIO's registry; there is one in a checkout only."""
    core = core_folder()
    if core is None or any(_version_of(name) is None for name in EXTRAS["boards"]):
        return
    try:
        ready = is_prepared(core)
    except ToolError as error:
        yield Check("PlatformIO core", "warning", str(error))
        return
    found = str(core) if ready else f"{core} is not filled: `pio run` would look for SCons in the network"
    yield Check("PlatformIO core", "ok" if ready else "warning", found, (), "" if ready else "tinynas doctor --fix")


def _flashers() -> Iterator[Check]:
    """Tools for real boards; nothing is missing without them, as virtual boards need none."""
    for name in ("openocd", "dfu-util"):
        path = shutil.which(name)
        advice = "" if path else f"for boards that it flashes: apt-get install {name}"
        yield Check(f"flasher {name}", "info", path or "not installed", advice=advice)


def _cache(folder: Path) -> Check:
    size_bytes = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else 0
    parent = next(p for p in (folder, *folder.parents) if p.exists())
    if not os.access(parent, os.W_OK):
        return Check(
            "cache", "missing", f"{parent} is not writable", advice="set TINYNAS_CACHE to a folder you can write"
        )
    return Check("cache", "ok", f"{folder}, {size_bytes / 1e6:.0f} MB (safe to delete)")


def _disks(folders: Mapping[str, Path]) -> Iterator[Check]:
    for name, folder in folders.items():
        there = next(p for p in (folder, *folder.parents) if p.exists())
        free_bytes = shutil.disk_usage(there).free
        enough = free_bytes >= MIN_FREE_BYTES
        advice = "" if enough else f"free some space: {MIN_FREE_BYTES / 1e9:.0f} GB are comfortable"
        yield Check(
            f"disk: {name}", "ok" if enough else "warning", f"{free_bytes / 1e9:.1f} GB free at {there}", (), advice
        )


def _serial_devices() -> Iterator[Check]:
    from tinynas.lab.detect import detect

    attached = detect()
    for each in attached:
        names = " or ".join(board.name for board in each.boards) or f"{each.device.product or 'unknown board'}"
        at = ", ".join(each.device.ports) or "no serial port"
        yield Check(f"USB {each.device.identity}", "info", f"{names}, {at}")
    if not attached:
        yield Check("serial devices", "info", "none attached (virtual boards need none)")


def _first_line(command: list[str]) -> str:
    return _output(command).partition("\n")[0].strip()


def _output(command: list[str]) -> str:
    """What a tool prints; empty if it cannot run, which the checks then report as missing."""
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""
