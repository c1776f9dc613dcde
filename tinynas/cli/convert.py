"""`tinynas convert`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinynas.cli.options import progress_console


def convert(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", help="Keras file, our checkpoint, or .tflite.", show_default=False)
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="int8 .tflite to write.", show_default=False)],
    data: Annotated[
        str | None,
        typer.Option(help="Calibration images: data set name, folder, zip or .toml.", show_default=False),
    ] = None,
    samples: Annotated[int, typer.Option(min=1, help="Training images to calibrate with.")] = 256,
) -> None:
    """Quantise MODEL to int8, and verify that TFLite Micro runs the result.

    Needs calibration images, unless MODEL is int8 already. A float MODEL takes pixel / 255.
    """
    from tinynas.pipeline.files import write_bytes

    with progress_console().status(f"converting {model}"):
        content = _int8(model, data, samples)
        write_bytes(output, content)
    print(f"{output}: {len(content):,} B, int8, verified with the TFLite Micro interpreter")


def _int8(model: Path, data: str | None, samples: int) -> bytes:
    from tinynas.cli.images import SplitName, load_split
    from tinynas.quantize import convert as library

    graph = library.load_model(model)
    if data is None or not library.is_float(graph):
        return library.convert(model, None)  # refuses a float model, and says what is missing
    images = load_split(data, library.input_shape(graph), SplitName.TRAIN).images[:samples]
    return library.convert_graph(graph, images, str(model))
