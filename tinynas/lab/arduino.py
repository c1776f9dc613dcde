"""Images of boards with an Arduino core: PlatformIO builds them, with the core and compiler of its own packages."""

from __future__ import annotations

import configparser
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinynas.engine.generate import Generated
from tinynas.errors import BoardError, ToolError
from tinynas.lab.board import Board
from tinynas.lab.files import write_whole
from tinynas.lab.locks import board_lock
from tinynas.lab.platformio_core import core_folder
from tinynas.lab.project import write_library
from tinynas.lab.sources import engine_sources, runner_sources
from tinynas.resources import cache_dir, resource

ARDUINO_RUNNER_FLASH_BYTES = 8_192  # runner and port: what a Cortex-M0+ makes of them, and some
ARDUINO_RUNNER_SRAM_BYTES = 2_048
_PROJECT = resource("firmware")
_LIMIT_S = 900.0  # the first build compiles the whole Arduino core
_KEPT = ("firmware.*", "bootloader.bin", "partitions.bin")


@dataclass(frozen=True)
class ArduinoProject:
    """What PlatformIO builds a board's images from, but for the model."""

    config: Path  # a platformio.ini that has the board's environment
    platform: str  # of the environment, pinned
    firmware_hash: str  # of the sources and the environment


def arduino_project(board: Board, libraries: Sequence[str] = ()) -> ArduinoProject:
    """The project of a board with an Arduino core; `libraries` are further ones, as PlatformIO's lib_deps names them.

    Raises:
        BoardError: neither firmware/platformio.ini nor the board file says which PlatformIO platform has the board.
        StoreError: the cache cannot be written.
    """
    config = project_config(board)
    environment = dict(_sections(config)[f"env:{board.environment}"])
    if "platform" not in environment:
        raise BoardError(f"{config}: [env:{board.environment}] has no Arduino core; give {board.name} another name")
    words = (*map(str, sorted(environment.items())), *libraries)
    sources = engine_sources().sha256() + runner_sources(board).sha256(*words)
    config = _with_libraries(config, board, libraries) if libraries else config
    return ArduinoProject(config, environment["platform"], hashlib.sha256(sources.encode()).hexdigest())


def build_arduino(generated: Generated, board: Board, project: ArduinoProject, profile: bool, folder: Path) -> None:
    """Builds `generated` into the board's firmware; firmware.elf, and what loaders want besides, are left in `folder`.

    Raises:
        ToolError: PlatformIO or its packages are not installed (says how), or it does not compile.
    """
    if core_folder() is None:
        raise ToolError(
            f"{board.name}: an installed tinynas cannot build with an Arduino core; use a checkout, and its make"
        )
    if importlib.util.find_spec("platformio") is None:
        raise ToolError(f"platformio, which builds for {board.name}, is not installed; pip install 'tinynas[boards]'")
    _require_packages(board, project)
    with board_lock(f"pio-{os.getuid()}-{board.environment}", "building its image", wait_s=_LIMIT_S):
        with tempfile.TemporaryDirectory(prefix="tinynas-model-") as library:
            write_library(generated, Path(library) / "model")
            built = _run(project.config, board, Path(library), profile)
        for pattern in _KEPT:
            for path in built.glob(pattern):
                shutil.copy2(path, folder)


def project_config(board: Board) -> Path:
    """firmware/platformio.ini; for a board that it does not know, a file that adds the board's environment to it.

    Raises:
        BoardError: the board file does not say which PlatformIO platform has the board.
        StoreError: the cache cannot be written.
    """
    config = _PROJECT / "platformio.ini"
    if f"env:{board.environment}" in _sections(config):
        return config
    hardware = board.hardware
    if hardware is None or hardware.platformio is None or hardware.pio is None or hardware.pio.platform is None:
        raise BoardError(
            f"{board.name}: firmware/platformio.ini has no [env:{board.environment}]; let the board file name its "
            "PlatformIO board and platform: platformio in [hardware], protocol and platform in [hardware.pio]"
        )
    folder = cache_dir() / "platformio" / board.environment
    write_whole(folder / "board.toml", board.to_toml())
    lines = [
        *("[platformio]", f"extra_configs = {config}", "", f"[env:{board.environment}]", "extends = arduino"),
        *(f"platform = {hardware.pio.platform}", f"board = {hardware.platformio}"),
        *(f"custom_board = {folder / 'board.toml'}", f"upload_protocol = {hardware.pio.protocol}", ""),
    ]
    write_whole(folder / "platformio.ini", "\n".join(lines))
    return folder / "platformio.ini"


def _with_libraries(config: Path, board: Board, libraries: Sequence[str]) -> Path:
    """A file that adds `libraries` to the board's environment in `config`."""
    lines = [
        *("[platformio]", f"extra_configs = {config}", "", f"[env:{board.environment}]"),
        *("lib_deps =", "  ${env.lib_deps}", *(f"  {library}" for library in libraries), ""),
    ]
    path = cache_dir() / "platformio" / f"{board.environment}-with-libraries" / "platformio.ini"
    write_whole(path, "\n".join(lines))
    return path


def build_folder(board: Board) -> Path:
    """Where PlatformIO builds the board's environment: in workspace_dir of platformio.ini, or what overrides it."""
    chosen = os.environ.get("PLATFORMIO_WORKSPACE_DIR")
    return (Path(chosen) if chosen else _PROJECT.parent / "build" / "pio") / "build" / board.environment


def _sections(config: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(config)
    return parser


def _pio(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "platformio", *arguments]


def _require_packages(board: Board, project: ArduinoProject) -> None:
    """Fetching hundreds of megabytes is for the user to start."""
    if project.platform.startswith(("symlink://", "file://")):
        return
    core = os.environ.get("PLATFORMIO_CORE_DIR") or core_folder()
    place = {"PLATFORMIO_CORE_DIR": str(core)} if core else {}
    done = _call(_pio("pkg", "list", "--global", "--only-platforms"), place)
    if f" {_package(project.platform)} @ " not in done.stdout:
        raise ToolError(
            f"{board.name}: PlatformIO's packages for it are not on this machine; fetch them once, with the internet: "
            f"{_how_to_fetch(board, project.platform, place)}"
        )


def _how_to_fetch(board: Board, platform: str, place: Mapping[str, str]) -> str:
    """An environment brings its Arduino core and tools; of a board that firmware/ does not know, just the platform."""
    if f"env:{board.environment}" in _sections(_PROJECT / "platformio.ini"):
        return f"pio pkg install -d {_PROJECT} -e {board.environment}"
    set_core = "".join(f"{name}={value} " for name, value in place.items())
    return f"{set_core}pio pkg install --global --platform {platform}"


def _package(platform: str) -> str:
    """`platformio/teensy@5.1.0` and `https://.../platform-raspberrypi.git#1234` by the names that PlatformIO lists."""
    last = platform.rpartition("/")[2]
    return last.partition("@")[0].partition(".git")[0].removeprefix("platform-")


def _run(config: Path, board: Board, libraries: Path, profile: bool) -> Path:
    """Returns the build folder."""
    more = {"TINYNAS_GENERATED": str(libraries)} | ({"PLATFORMIO_BUILD_FLAGS": "-DTN_PROFILE"} if profile else {})
    done = _call(_pio("run", "-d", str(_PROJECT), "-c", str(config), "-e", board.environment), more)
    if done.returncode:
        raise ToolError(f"{board.name}: PlatformIO could not build it: {_complaint(done.stdout + done.stderr)}")
    return build_folder(board)


def _call(command: list[str], more: dict[str, str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, env={**os.environ, **more}, capture_output=True, text=True, timeout=_LIMIT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise ToolError(
            f"PlatformIO did not end within {_LIMIT_S:g} s; run it yourself: {' '.join(command)}"
        ) from error


def _complaint(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if "error" in line.lower() or line.startswith("tinynas:")]
    return " | ".join(lines[:3]) or said.strip()[-300:] or "it said nothing"
