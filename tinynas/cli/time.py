"""`tinynas time`."""

from __future__ import annotations

import enum
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from tinynas.cli.options import BoardOption, JsonOption, ModelArgument, PortOption, progress_console

if TYPE_CHECKING:
    from tinynas.cli.models import Model
    from tinynas.lab.board import Board
    from tinynas.lab.measure import Measurement


class Runtime(enum.StrEnum):
    """What runs the model on the board."""

    ENGINE = "engine"  # our generated code and kernels
    TFLM = "tflm"  # TensorFlow Lite for Microcontrollers


def time(
    model: ModelArgument,
    board: BoardOption,
    runtime: Annotated[Runtime, typer.Option(help="tflm runs on board `host` only.")] = Runtime.ENGINE,
    repeats: Annotated[int, typer.Option(min=1, help="Timed inferences; the median counts.")] = 3,
    port: PortOption = None,
    as_json: JsonOption = False,
) -> None:
    """Build MODEL, flash it, run it and time it over the board's serial port.

    Outputs are compared, byte for byte, with the TensorFlow Lite Micro interpreter's.
    """
    from tinynas.cli.models import read_model
    from tinynas.cli.tflm_host import measure_tflm
    from tinynas.lab.board import load_board
    from tinynas.report.measurement_text import measurement_lines

    target, found = load_board(board), read_model(model)
    with progress_console().status(f"building, flashing and timing on {board}"):
        if runtime is Runtime.TFLM:
            result = measure_tflm(found, target, repeats)
        else:
            result = _measure(found, target, repeats, port)
    print(result.model_dump_json(indent=2) if as_json else "\n".join(measurement_lines(result)))


def _measure(model: Model, board: Board, repeats: int, port: str | None) -> Measurement:
    from tinynas.lab.cycles.inference import no_estimate
    from tinynas.lab.measure import measure
    from tinynas.lab.session import open_board

    reason = no_estimate(board)
    with open_board(board, port=port) as session:
        found = measure(
            model.content, board, model=str(model.path), session=session, repeats=repeats, cycles=reason is None
        )
    if reason and board.kind == "virtual":  # said last: an error would be the only line
        print(f"tinynas: no estimated cycles: {reason}", file=sys.stderr)
    return found
