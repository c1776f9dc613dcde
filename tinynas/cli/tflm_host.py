"""TFLite Micro on this machine (the PyPI interpreter), measured like a board, for `tinynas time --runtime tflm`."""

from __future__ import annotations

import hashlib
import importlib.metadata
import time
from typing import TYPE_CHECKING

from tinynas import __version__

if TYPE_CHECKING:
    from tinynas.cli.models import Model
    from tinynas.graph.tflm import TflmInterpreter
    from tinynas.lab.board import Board
    from tinynas.lab.measure import Measurement

BATCH = 10  # inferences per timed call; their number cancels the cost of calling the child process


def measure_tflm(model: Model, board: Board, repeats: int) -> Measurement:
    """Arena, host latency and parity: `bit_exact` says whether our engine, built for this machine, agrees.

    `board` is the host; other boards run it by lab/tflm_measure.py.
    """
    from tinynas.engine.host import HostModel
    from tinynas.graph.tflm import TflmInterpreter
    from tinynas.lab.measure import SEED, Measurement, output_bytes, same_outputs
    from tinynas.quantize.seeded import seeded_inputs

    assert board.kind == "host", board.name
    ours = HostModel(model.graph)
    inputs = seeded_inputs(model.graph, SEED)[0]
    with TflmInterpreter(model.content) as interpreter:
        outputs = interpreter.run(inputs)
        arena_bytes = interpreter.arena_used_bytes
        latency_us = _latency_us(interpreter, model, repeats)
    return Measurement(
        model=str(model.path),
        sha256=hashlib.sha256(model.content).hexdigest(),
        board=board.name,
        runtime="tflm",
        engine_version=__version__,
        toolchain=f"tflite-micro {importlib.metadata.version('tflite-micro')}",
        clock_hz=None,
        instructions=None,
        latency_us=latency_us,
        latency_kind="host",
        repeats=repeats,
        peak_sram_bytes=arena_bytes,
        runner_sram_bytes=0,
        arena_bytes=arena_bytes,
        flash_bytes=None,
        macs=ours.plan.macs,
        bit_exact=same_outputs(ours.run(inputs), outputs),
        output_sha256=hashlib.sha256(output_bytes(outputs)).hexdigest(),
        serial_log=None,
    )


def _latency_us(interpreter: TflmInterpreter, model: Model, repeats: int) -> float:
    """Median time of one inference, from the difference between calls of 1 + BATCH and of 1."""
    import numpy as np

    from tinynas.lab.measure import SEED
    from tinynas.quantize.seeded import seeded_inputs

    sets = seeded_inputs(model.graph, SEED, 1 + BATCH)
    many = [np.stack(values) for values in zip(*sets, strict=True)]
    one = [values[:1] for values in many]

    def seconds(inputs: list[np.ndarray[tuple[int, ...], np.dtype[np.int8]]]) -> float:
        start_s = time.perf_counter()
        interpreter.run_many(inputs)
        return time.perf_counter() - start_s

    return float(np.median([(seconds(many) - seconds(one)) / BATCH * 1e6 for _ in range(repeats)]))
