"""`tinynas time`."""

from __future__ import annotations

import enum
from typing import Annotated

import typer

from tinynas.cli.options import BoardOption, JsonOption, ModelArgument, PortOption, progress_console


class Runtime(enum.StrEnum):
    """What runs the model on the board."""

    ENGINE = "engine"  # our generated code and kernels
    TFLM = "tflm"  # TensorFlow Lite for Microcontrollers


def time(
    model: ModelArgument,
    board: BoardOption,
    runtime: Annotated[Runtime, typer.Option(help="tflm runs on `host` only.")] = Runtime.ENGINE,
    repeats: Annotated[int, typer.Option(min=1, help="Timed inferences; the median counts.")] = 3,
    port: PortOption = None,
    as_json: JsonOption = False,
) -> None:
    """Build MODEL, flash it, run it and time it over the board's serial port.

    Outputs are compared, byte for byte, with the TensorFlow Lite Micro interpreter's.
    """
    from tinynas.lab.board import load_board
    from tinynas.lab.measure import measure
    from tinynas.report.measurement_text import measurement_lines

    with progress_console().status(f"building, flashing and timing on {board}"):
        result = measure(model, load_board(board), runtime=runtime.value, repeats=repeats, port=port)
    if as_json:
        print(result.model_dump_json(indent=2))
    else:
        print(*measurement_lines(result), sep="\n")
