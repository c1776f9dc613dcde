"""Latency and memory of networks on the experiment's board, each model measured once."""

from __future__ import annotations

from collections.abc import Sequence

from tinynas.lab.measure import Measurement
from tinynas.lab.store import MeasurementStore
from tinynas.nets.network import Network
from tinynas.pipeline.context import Context
from tinynas.pipeline.digest import derive_seed
from tinynas.pipeline.int8 import calibration_images, int8_model
from tinynas.pipeline.jobs import dataset
from tinynas.pipeline.measuring import check_exact, open_farm


def measured(context: Context, networks: Sequence[Network], what: str) -> list[Measurement]:
    """Of `networks`, in order: made int8, built, flashed and timed, their outputs checked against TFLite Micro's.

    Raises:
        ToolError: outputs differ.
    """
    count = context.experiment.quantise.candidate_images
    images = calibration_images(dataset(context.experiment.data).train, count, derive_seed(0, "calibration"))
    models = [int8_model(network, images) for network in networks]
    context.progress.begin(what, "networks built, flashed and timed", len(models))
    with open_farm(context) as farm:
        found = farm.measure_all(
            models, MeasurementStore(context.measurements), lambda progress, _: context.progress.advance(progress.done)
        )
    for measurement in found:
        check_exact(measurement)
    context.progress.end()
    return found
