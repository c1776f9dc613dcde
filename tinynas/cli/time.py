"""`tinynas time`."""

from __future__ import annotations

import enum
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinynas.cli.options import (
    BoardOption,
    FlasherOption,
    JsonOption,
    ModelArgument,
    PortOption,
    ProbeOption,
    flashing,
    progress_console,
)

if TYPE_CHECKING:
    from tinynas.cli.models import Model
    from tinynas.lab.measure import Measurement
    from tinynas.lab.session import BoardSession
    from tinynas.lab.steady import Repeats


class Runtime(enum.StrEnum):
    """What runs the model on the board."""

    ENGINE = "engine"  # our generated code and kernels
    TFLM = "tflm"  # TensorFlow Lite for Microcontrollers


def time(
    model: ModelArgument,
    board: BoardOption,
    runtime: Annotated[
        Runtime, typer.Option(help="tflm: the upstream interpreter, beside our engine.")
    ] = Runtime.ENGINE,
    repeats: Annotated[
        int | None,
        typer.Option(
            min=1, help="Timed inferences; the median counts. Default: 3; real boards 10.", show_default=False
        ),
    ] = None,
    warmups: Annotated[int, typer.Option(min=1, help="Inferences before those (not on virtual boards).")] = 3,
    allow_spread: Annotated[
        bool, typer.Option("--allow-spread", help="Report a real board's time even if repeats differ by more than 2 %.")
    ] = False,
    tflm: Annotated[
        Path | None, typer.Option(help="Upstream's sources for --runtime tflm; default: $TINYNAS_TFLM.")
    ] = None,
    port: PortOption = None,
    flasher: FlasherOption = None,
    probe: ProbeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Build MODEL, flash it, run it and time it over the board's serial port.

    Outputs are compared, byte for byte, with the TensorFlow Lite Micro interpreter's.
    """
    from tinynas.cli.models import read_model
    from tinynas.cli.tflm_host import measure_tflm
    from tinynas.lab.board import load_board
    from tinynas.lab.session import open_board
    from tinynas.lab.steady import Repeats
    from tinynas.report.measurement_text import measurement_lines

    target, found = load_board(board), read_model(model)
    wanted = Repeats(warmups, repeats or (10 if target.kind == "hardware" else 3), allow_spread)
    with progress_console().status(f"building, flashing and timing on {board}"):
        if runtime is Runtime.TFLM and target.kind == "host":
            result = measure_tflm(found, target, wanted.repeats)
        else:
            with open_board(target, port=port, flashing=flashing(flasher, probe)) as session:
                result = (
                    _measure(found, session, wanted)
                    if runtime is Runtime.ENGINE
                    else _tflm(found, session, wanted, tflm)
                )
    print(result.model_dump_json(indent=2) if as_json else "\n".join(measurement_lines(result)))


def _tflm(model: Model, session: BoardSession, wanted: Repeats, folder: Path | None) -> Measurement:
    from tinynas.lab.tflm_measure import measure_tflm_on_board

    return measure_tflm_on_board(model.content, session, wanted, model=str(model.path), folder=folder)


def _measure(model: Model, session: BoardSession, wanted: Repeats) -> Measurement:
    from tinynas.lab.cycles.inference import no_estimate
    from tinynas.lab.measure import measure

    reason = no_estimate(session.board)
    found = measure(
        model.content,
        session.board,
        model=str(model.path),
        session=session,
        repeats=wanted.repeats,
        warmups=wanted.warmups,
        allow_spread=wanted.allow_spread,
        cycles=reason is None,
    )
    if reason and session.board.kind == "virtual":  # said last: an error would be the only line
        print(f"tinynas: no estimated cycles: {reason}", file=sys.stderr)
    return found
