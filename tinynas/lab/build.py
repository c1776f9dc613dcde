"""Builds firmware images: engine and runner once per board into the cache, then a small compile and link per model."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tinynas.engine.generate import Generated
from tinynas.errors import FitError, ToolError
from tinynas.lab.arduino import ARDUINO_RUNNER_SRAM_BYTES, ArduinoProject, arduino_project, build_arduino
from tinynas.lab.board import Board, Core
from tinynas.lab.elf import Elf, read_elf
from tinynas.lab.linker import linker_script
from tinynas.lab.made_once import made_in, made_once
from tinynas.lab.sources import Sources, engine_sources, runner_sources
from tinynas.lab.toolchain import Toolchain, toolchain
from tinynas.resources import cache_dir

_OVERFLOW = re.compile(r"region `(\w+)' overflowed by (\d+) bytes?")
_RUNNER_SECTIONS = (".guard", ".runner_data", ".runner_bss", ".canary")
_MODEL_SECTIONS = (".data", ".bss")


@dataclass(frozen=True)
class Image:
    """What goes into flash."""

    elf: Path
    sha256: str  # of the ELF file
    flash_bytes: int  # from the start of flash to the last byte written; 0 on the host
    statics_bytes: int  # .data + .bss of model and engine
    runner_sram_bytes: int  # the runner's .data, .bss, stack guard and canary
    arena_bytes: int
    toolchain: str
    firmware_hash: str  # of everything linked in but the model
    profile: bool


@dataclass(frozen=True)
class Firmware:
    """The prebuilt part of a board's images."""

    libraries: tuple[Path, ...]
    engine_folder: Path  # holds libengine.a and the objects that went into it
    script: Path  # linker script; unused on the host
    firmware_hash: str
    tools: Toolchain


def firmware(board: Board, cache: Path | None = None) -> Firmware:
    """Engine and runner of `board`, compiled now if the cache does not have them.

    Raises:
        ToolError: compiler missing or failing.
        StoreError: the cache cannot be written.
    """
    tools = toolchain(board)
    script = linker_script(board)
    script_key = hashlib.sha256(script.encode()).hexdigest()
    root = (cache or cache_dir()) / "firmware"
    runner, runner_key = _library(runner_sources(board), tools, root)
    engine, engine_key = _library(engine_sources(), tools, root)
    script_folder = made_once(
        root / f"script-{script_key[:24]}", lambda folder: _write(folder / "board.ld", script.encode())
    )
    combined = hashlib.sha256(f"{runner_key}{engine_key}{script_key}".encode()).hexdigest()
    return Firmware((runner, engine), engine.parent, script_folder / "board.ld", combined, tools)


def build_image(
    generated: Generated,
    board: Board,
    *,
    profile: bool = False,
    cache: Path | None = None,
    folder: Path | None = None,
    libraries: tuple[str, ...] = (),
) -> Image:
    """Compiles and links `generated` for `board`; with `profile`, the image marks every op.

    On a board with an Arduino core, PlatformIO fetches further `libraries`, written as its lib_deps are.

    The image is left in `folder` (default: the cache, under the hash of what went in, where it is found again).

    Raises:
        FitError: the linker says that flash or SRAM overflows.
        ToolError: compiler missing or failing.
        StoreError: the disk is full or cannot be written.
    """
    if board.framework == "arduino":
        return _arduino_image(generated, board, arduino_project(board, libraries), profile, cache, folder)
    parts = firmware(board, cache)
    kept = (cache or cache_dir()) / "images" / _model_key(generated, parts.firmware_hash, profile)[:32]
    made = made_in(folder, kept, lambda new: _link(generated, board, parts, profile, new))
    return _image(made / "firmware.elf", generated, board, parts, profile)


def engine_folder(tools: Toolchain, cache: Path | None = None) -> Path:
    """Where the engine's objects lie, compiled by `tools`.

    Raises:
        ToolError, StoreError: as of `firmware`.
    """
    return _library(engine_sources(), tools, (cache or cache_dir()) / "firmware")[0].parent


def _arduino_image(
    generated: Generated, board: Board, project: ArduinoProject, profile: bool, cache: Path | None, folder: Path | None
) -> Image:
    kept = (cache or cache_dir()) / "images" / _model_key(generated, project.firmware_hash, profile)[:32]
    made = made_in(folder, kept, lambda new: build_arduino(generated, board, project, profile, new))
    elf = made / "firmware.elf"
    return Image(
        elf=elf,
        sha256=hashlib.sha256(elf.read_bytes()).hexdigest(),
        flash_bytes=0 if board.core is Core.HOST else sum(len(part.data) for part in read_elf(elf).segments),
        statics_bytes=0,
        runner_sram_bytes=ARDUINO_RUNNER_SRAM_BYTES,
        arena_bytes=generated.arena_bytes,
        toolchain=f"PlatformIO {project.platform}",
        firmware_hash=project.firmware_hash,
        profile=profile,
    )


def _library(sources: Sources, tools: Toolchain, root: Path) -> tuple[Path, str]:
    key = sources.sha256(tools.version, *tools.flags)
    name = f"lib{sources.library}.a"
    folder = made_once(root / f"{sources.library}-{key[:24]}", lambda new: _compile(sources, tools, new / name))
    return folder / name, key


def _compile(sources: Sources, tools: Toolchain, target: Path) -> None:
    flags = [*sources.defines, *(f"-I{folder}" for folder in sources.includes)]

    def one(path: Path) -> Path:
        made = target.parent / f"{path.stem}.o"
        tools.run(*flags, "-c", path, "-o", made)
        return made

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        tools.archive(target, list(pool.map(one, sources.files)))


def _model_key(generated: Generated, firmware_hash: str, profile: bool) -> str:
    digest = hashlib.sha256(f"{firmware_hash}\0{generated.arena_bytes}\0{profile}".encode())
    for name, content in sorted(generated.files.items()):
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _link(generated: Generated, board: Board, parts: Firmware, profile: bool, folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        sources = _write_sources(generated.files, Path(scratch))
        arguments = [
            *(["-DTN_PROFILE"] if profile else []),
            *(f"-I{include}" for include in engine_sources().includes),
            *sources,
            *_link_flags(generated, board, parts),
            "-Wl,--build-id=none",
            "-Wl,--strip-debug",
            "-o",
            str(folder / "firmware.elf"),
        ]
        try:
            parts.tools.run(*arguments, cwd=Path(scratch))
        except ToolError as error:
            raise _as_fit_error(error, board) from error


def _link_flags(generated: Generated, board: Board, parts: Firmware) -> list[str]:
    libraries = ["-Wl,--start-group", *map(str, parts.libraries), "-lm", "-Wl,--end-group", "-Wl,--gc-sections"]
    if board.core is Core.HOST:
        return libraries
    return [
        *libraries,
        "-nostartfiles",
        "-Wl,--no-warn-rwx-segments",
        f"-Wl,--defsym=tn_arena_bytes={generated.arena_bytes}",
        f"-Wl,-T,{parts.script}",
    ]


def _write_sources(files: Mapping[str, bytes], folder: Path) -> list[str]:
    for name, content in files.items():
        _write(folder / name, content)
    return [name for name in files if name.endswith((".c", ".S", ".o", ".a"))]


def _as_fit_error(error: ToolError, board: Board) -> FitError | ToolError:
    overflows = {region: int(count) for region, count in _OVERFLOW.findall(str(error))}
    if not overflows:
        return error
    parts = " and ".join(f"{region} by {count} B" for region, count in overflows.items())
    return FitError(
        f"the image overflows {board.name}'s {parts}; take a smaller model or a larger board", max(overflows.values())
    )


def _image(path: Path, generated: Generated, board: Board, parts: Firmware, profile: bool) -> Image:
    elf = None if board.core is Core.HOST else read_elf(path)
    return Image(
        elf=path,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        flash_bytes=_flash_bytes(elf, board) if elf else 0,
        statics_bytes=_sum(elf, _MODEL_SECTIONS),
        runner_sram_bytes=_sum(elf, _RUNNER_SECTIONS),
        arena_bytes=generated.arena_bytes,
        toolchain=parts.tools.version,
        firmware_hash=parts.firmware_hash,
        profile=profile,
    )


def _flash_bytes(elf: Elf, board: Board) -> int:
    """From the start of flash to the last byte, a vector table elsewhere included."""
    ends = [segment.address + len(segment.data) - board.flash.origin for segment in elf.segments]
    return max(ends) + (0 if board.vectors is None else elf.section_bytes[".vectors"])


def _sum(elf: Elf | None, sections: tuple[str, ...]) -> int:
    return sum(elf.section_bytes.get(section, 0) for section in sections) if elf else 0


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)
