"""`tinynas export`."""

from __future__ import annotations

import enum
from collections.abc import Container
from pathlib import Path
from typing import Annotated

import typer

from tinynas.cli.options import ModelArgument
from tinynas.errors import StoreError


class Form(enum.StrEnum):
    """What a model is exported to."""

    C = "c"  # a library in C99


def export(
    model: ModelArgument,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder to write.", show_default=False)],
    to: Annotated[Form, typer.Option(help="c: a C99 library with CMake and PlatformIO files.")] = Form.C,
    core: Annotated[
        str, typer.Option(help="portable, or the core whose instructions the kernels use, e.g. cortex-m4.")
    ] = "portable",
    name: Annotated[
        str | None, typer.Option(help="C identifier; default: from MODEL's file name.", show_default=False)
    ] = None,
) -> None:
    """Write MODEL as a self-contained C library: header, sources of just the kernels it uses, build files, README.

    The library needs nothing of tinynas, allocates nothing and gives the TensorFlow Lite Micro interpreter's bytes.
    """
    import hashlib

    from tinynas.cli.models import read_model
    from tinynas.engine.export import c_library, core_of
    from tinynas.pipeline.files import write_bytes

    del to
    found = read_model(model)
    library = c_library(
        found.graph, core_of(core), model.stem, sha256=hashlib.sha256(found.content).hexdigest(), name=name
    )
    _refuse_strangers(output, library.files)
    for path, content in library.files.items():
        write_bytes(output / path, content)
    print(
        f"{output}: library {library.name} for {core}, {len(library.files)} files; "
        f"arena {library.arena_bytes:,} B, constants {library.const_bytes:,} B"
    )


def _refuse_strangers(folder: Path, files: Container[str]) -> None:
    """Build tools compile whatever lies in src/, so what another export left there would be linked too."""
    stranger = next((path for path in sorted(folder.glob("src/*")) if f"src/{path.name}" not in files), None)
    if stranger is not None:
        raise StoreError(f"{stranger} is not part of this library; remove {folder} or export into another folder")
