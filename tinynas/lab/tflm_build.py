"""Images that run a network on upstream's TFLite Micro, in our runner: by the system's compiler, or by PlatformIO."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tinynas.engine.generate import Generated
from tinynas.lab.board import Board
from tinynas.lab.build import Image, build_image
from tinynas.lab.made_once import made_once
from tinynas.lab.sources import engine_sources
from tinynas.lab.tflm_tree import TflmTree
from tinynas.lab.toolchain import Toolchain, toolchain
from tinynas.resources import cache_dir

# Upstream as an Arduino library, with CMSIS-NN's kernels where the core can run them; in PlatformIO's registry
PIO_LIBRARY = "spaziochirale/Chirale_TensorFLowLite@2.0.0"
_CPP = ("-std=c++17", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics", "-fno-use-cxa-atexit")
_QUIET = ("-w",)  # others' sources
# what C++ wants of a system where nothing is ever freed
_STUBS = """\
#include <cstddef>
void operator delete(void *) noexcept {}
void operator delete(void *, std::size_t) noexcept {}
extern "C" void __cxa_pure_virtual() { for (;;) {} }
extern "C" void abort() { for (;;) {} }
"""


def build_arduino_tflm(generated: Generated, board: Board, folder: Path, library: str = PIO_LIBRARY) -> Image:
    """The image of a board with an Arduino core; PlatformIO fetches the pinned `library` the first time.

    Raises:
        ToolError: PlatformIO or its packages are not installed, or it does not compile.
    """
    return build_image(generated, board, folder=folder, libraries=(library,))


def build_tflm(generated: Generated, board: Board, tree: TflmTree, folder: Path, cache: Path | None = None) -> Image:
    """The image of a bare-metal board, linked with `tree`, which is compiled once for every core.

    Raises:
        FitError: the linker says that flash or SRAM overflows.
        ToolError: compiler missing or failing.
        StoreError: the cache cannot be written.
    """
    c, cpp = toolchain(board), cpp_toolchain(board)
    library = tflm_library(tree, c, cpp, cache or cache_dir())
    with tempfile.TemporaryDirectory(prefix="tinynas-tflm-") as scratch:
        objects = _compile_model(generated, tree, cpp, Path(scratch))
    files = {**objects, "libtflm.a": library.read_bytes()}
    return build_image(dataclasses.replace(generated, files=files), board, folder=folder, cache=cache)


def tflm_library(tree: TflmTree, c: Toolchain, cpp: Toolchain, cache: Path) -> Path:
    """Upstream's library for one core, compiled now if the cache does not have it (minutes).

    Raises:
        ToolError: the compiler fails.
        StoreError: the cache cannot be written.
    """
    words = "\0".join((tree.sha256, c.version, *c.flags, *cpp.flags, *tree.defines))
    key = hashlib.sha256(words.encode()).hexdigest()
    folder = cache / "firmware" / f"tflm-{key[:24]}"
    return made_once(folder, lambda new: _compile(tree, c, cpp, new)) / "libtflm.a"


def cpp_toolchain(board: Board) -> Toolchain:
    """The board's compiler, for C++.

    Raises:
        ToolError: not installed.
    """
    tools = toolchain(board)
    flags = [flag for flag in tools.flags if not flag.startswith("-std=")]
    return dataclasses.replace(tools, cc=tools.cc.removesuffix("gcc") + "g++", flags=(*flags, *_CPP))


def _compile(tree: TflmTree, c: Toolchain, cpp: Toolchain, folder: Path) -> None:
    flags = [*tree.defines, *_QUIET, *(f"-I{include}" for include in tree.includes)]

    def one(numbered: tuple[int, Path]) -> Path:
        number, path = numbered  # names repeat between folders
        made = folder / f"{number:03}_{path.stem}.o"
        (c if path.suffix == ".c" else cpp).run(*flags, "-c", path, "-o", made)
        return made

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        c.archive(folder / "libtflm.a", list(pool.map(one, enumerate(tree.sources))))


def _compile_model(generated: Generated, tree: TflmTree, cpp: Toolchain, folder: Path) -> dict[str, bytes]:
    """Objects of the generated sources and the stubs, by name."""
    includes = [*tree.includes, *engine_sources().includes]
    flags = [*tree.defines, *_QUIET, *(f"-I{include}" for include in includes)]
    objects = {}
    for name, content in {**generated.files, "stubs.cpp": _STUBS.encode()}.items():
        (folder / name).write_bytes(content)
        made = folder / f"{Path(name).stem}.o"
        cpp.run(*flags, "-c", folder / name, "-o", made)
        objects[made.name] = made.read_bytes()
    return objects
