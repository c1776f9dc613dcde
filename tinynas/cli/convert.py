"""`tinynas convert`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def convert(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", help="Keras file, our checkpoint, or .tflite.", show_default=False)
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="int8 .tflite to write.", show_default=False)],
    data: Annotated[
        str | None, typer.Option(help="Calibration images: data set name, folder, zip or .toml.", show_default=False)
    ] = None,
    samples: Annotated[int, typer.Option(min=1, help="Training images to calibrate with.")] = 256,
) -> None:
    """Quantise MODEL to int8, and verify that TFLite Micro runs the result.

    Needs calibration data, unless MODEL is int8 already.
    """
