"""Latency of a space's networks, always measured: assembled, made int8, built, flashed and timed in batches."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinynas.distill.library import Library
from tinynas.errors import ToolError
from tinynas.lab.farm import Farm, Progress
from tinynas.lab.measure import Measurement
from tinynas.lab.store import MeasurementStore
from tinynas.pipeline.context import Context
from tinynas.pipeline.int8 import int8_model
from tinynas.space.space import Arch

_REPEATS = 5  # of an inference on hardware, for the median


@dataclass(frozen=True)
class RateLog:
    """How many new measurements were made in how much time, over all sittings: a line per measurement."""

    path: Path

    def note(self, batch: str, new: int, seconds: float) -> None:
        """`new` measurements of this batch are done, `seconds` after it began."""
        with self.path.open("a") as file:
            file.write(json.dumps({"batch": batch, "new": new, "seconds": round(seconds, 3)}) + "\n")

    def per_minute(self) -> float | None:
        """New measurements per minute spent on making them; None if there were none."""
        last: dict[str, tuple[int, float]] = {}
        for line in self.path.read_text().splitlines() if self.path.exists() else ():
            try:
                noted = json.loads(line)
            except ValueError:  # half written when the run was killed
                continue
            last[noted["batch"]] = (noted["new"], noted["seconds"])
        new, seconds = (sum(column) for column in zip(*last.values(), strict=True)) if last else (0, 0.0)
        return round(60 * new / seconds, 1) if new else None


def open_farm(context: Context) -> Farm:
    """Workers with this run's board. A virtual board counts instructions, alike every time: one repeat tells all."""
    repeats = 1 if context.board.kind == "virtual" else _REPEATS
    return Farm(context.board, context.workers, repeats=repeats, port=context.port, on_busy=context.meter.device)


def measure_models(
    context: Context,
    models: Sequence[bytes],
    on_measured: Callable[[int], None] = lambda _: None,
    rate: RateLog | None = None,
) -> list[Measurement]:
    """int8 `.tflite` models measured on the run's board, several at a time; those in the store are taken.

    Raises:
        ToolError: a board's outputs are not TFLite Micro's: nothing measured of such a firmware counts.
    """
    with open_farm(context) as farm:
        began_s, batch = time.monotonic(), uuid.uuid4().hex

        def done(progress: Progress, measurement: Measurement) -> None:
            check_exact(measurement)
            if rate and progress.new:
                rate.note(batch, progress.new, time.monotonic() - began_s)
            on_measured(progress.done)

        return farm.measure_all(models, MeasurementStore(context.measurements), done)


@dataclass
class Measurer:
    """Measures the networks of a library, each once."""

    library: Library
    farm: Farm
    store: MeasurementStore
    calibration: NDArray[np.uint8]
    rate: RateLog
    on_measured: Callable[[int], None] = lambda _: None  # told how many networks are measured so far
    known: dict[Arch, Measurement] = field(default_factory=dict)

    def __call__(self, archs: Sequence[Arch]) -> list[Measurement]:
        """One measurement per arch, in their order; those not in the store are measured side by side.

        Raises:
            ToolError: a board's outputs are not TFLite Micro's: nothing measured of such a firmware counts.
        """
        new = [arch for arch in dict.fromkeys(archs) if arch not in self.known]
        began_s, batch, before = time.monotonic(), uuid.uuid4().hex, len(self.known)
        models = [int8_model(self.library.assemble(arch), self.calibration) for arch in new]

        def done(progress: Progress, measurement: Measurement) -> None:
            check_exact(measurement)
            if progress.new:
                self.rate.note(batch, progress.new, time.monotonic() - began_s)
            self.on_measured(before + progress.done)

        found = self.farm.measure_all(models, self.store, done)
        self.known |= dict(zip(new, found, strict=True))
        return [self.known[arch] for arch in archs]

    def latency_us(self, archs: Sequence[Arch]) -> list[float]:
        """Of each arch, measured."""
        return [measurement.latency_us for measurement in self(archs)]


def check_exact(measurement: Measurement) -> None:
    """Raise `ToolError` where a board's outputs are not TFLite Micro's."""
    if not measurement.bit_exact:
        raise ToolError(
            f"model {measurement.sha256[:12]} on {measurement.board}: the outputs are not TFLite Micro's on the same "
            f"inputs; see {measurement.serial_log} and `tinynas profile --check`"
        )
