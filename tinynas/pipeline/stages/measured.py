"""Stage 10: the finished networks timed on the board, as the candidates were."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from tinynas.lab.image_makers import image_makers
from tinynas.lab.measure import Measurement
from tinynas.pipeline.context import Context
from tinynas.pipeline.files import read_json, write_json
from tinynas.pipeline.measuring import measure_models
from tinynas.pipeline.stage_store import StageKey

_VERSION = 1


def measure_finished(context: Context, models: Sequence[bytes]) -> list[Measurement]:
    """Of each model, in order; what is in the measurement store is taken from there.

    Raises:
        ToolError: a board's outputs are not TFLite Micro's: nothing measured of such a firmware counts.
    """
    settings = {
        "models": [hashlib.sha256(model).hexdigest() for model in models],
        "board": context.board.model_dump(mode="json"),
        **image_makers(context.board),
    }
    output = context.stage(StageKey("measure", _VERSION, settings), lambda folder: _measure(context, models, folder))
    return [Measurement.model_validate(row) for row in read_json(output.folder / "measurements.json")]


def _measure(context: Context, models: Sequence[bytes], folder: Path) -> None:
    context.progress.begin("measure", "finished networks timed on the board", len(models))
    found = measure_models(context, models, context.progress.advance)
    write_json(folder / "measurements.json", [measurement.model_dump(mode="json") for measurement in found])
    context.progress.end("all outputs equal TFLite Micro's")
