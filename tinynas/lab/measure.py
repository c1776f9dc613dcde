"""One model on one board: planned, built, flashed, checked bit for bit, timed."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

import tinynas
from tinynas.engine.generate import generate
from tinynas.errors import FirmwareError, LinkError, ModelFaultError, ToolError
from tinynas.graph.ir import Graph
from tinynas.graph.tflite_reader import read_tflite
from tinynas.graph.tflm import TflmInterpreter, TflmWorker
from tinynas.lab.board import Board
from tinynas.lab.build import Image, build_image
from tinynas.lab.cycles.inference import estimate_inference
from tinynas.lab.replies import MemoryStats
from tinynas.lab.runtime_size import runtime_size
from tinynas.lab.session import BoardSession, open_board
from tinynas.lab.steady import Repeats, spread, time_steadily
from tinynas.lab.timing import Timing
from tinynas.plan.fit import fit, require_fit
from tinynas.plan.plan import Plan
from tinynas.plan.planner import plan
from tinynas.quantize.seeded import seeded_inputs

Runtime = Literal["engine", "tflm"]
LatencyKind = Literal["measured", "virtual", "host"]
SEED = 0
KINDS: dict[str, LatencyKind] = {"virtual": "virtual", "host": "host", "hardware": "measured"}


class Measurement(BaseModel, frozen=True, extra="forbid"):
    """What `tinynas time --json` prints; fields that do not apply are None."""

    model: str
    sha256: str  # of the .tflite
    board: str
    runtime: Runtime
    engine_version: str
    toolchain: str
    clock_hz: int | None  # None on the host: its time is measured, and its clock is not one figure
    instructions: int | None  # one inference, counted exactly (virtual boards)
    est_cycles: int | None = None  # by the cost model of tinynas/lab/cycles; None unless asked for
    latency_us: float
    latency_kind: LatencyKind
    repeats: int
    peak_sram_bytes: int  # arena with scratch, model statics, stack high-water mark of the inference
    runner_sram_bytes: int
    arena_bytes: int
    flash_bytes: int | None  # whole image; None on the host
    macs: int
    bit_exact: bool  # outputs of the first inference equal TFLite Micro's on the same seeded inputs
    output_sha256: str  # of the outputs' int8 bytes in model order
    serial_log: str | None  # None where there is no serial line
    warmups: int | None = None  # inferences before the timed ones; as the next two, None on virtual boards, which count
    spread: float | None = None  # (largest - smallest) / median of the repeats
    celsius: float | None = None  # of the chip afterwards, where the board tells


@dataclass(frozen=True)
class Built:
    """A model ready to be flashed."""

    sha256: str
    graph: Graph
    plan: Plan
    image: Image


def build_model(model_bytes: bytes, board: Board, folder: Path, *, profile: bool = False, called: str = "") -> Built:
    """Plans, checks the fit and links; the image is left in `folder`. The runner reports what the model is `called`.

    Raises:
        ModelError: not a model that the engine runs.
        FitError: it does not fit the board; says by how many bytes.
    """
    sha256 = hashlib.sha256(model_bytes).hexdigest()
    graph = read_tflite(model_bytes)
    planned = plan(graph, board.core)
    require_fit(fit(planned, board, runtime_size(board)), board)
    generated = generate(graph, planned, called=called, sha256=sha256)
    return Built(sha256, graph, planned, build_image(generated, board, profile=profile, folder=folder))


def measure(
    model_bytes: bytes,
    board: Board,
    *,
    model: str = "",
    session: BoardSession | None = None,
    runtime: Runtime = "engine",
    repeats: int = 3,
    warmups: int = 3,
    allow_spread: bool = False,
    interpreter: TflmWorker | None = None,
    log: Path | None = None,
    cycles: bool = False,
) -> Measurement:
    """Builds, flashes, verifies and times `model_bytes` (called `model` in the result) on `board`.

    An open `session` and an `interpreter` worker are used as they are, and left open; otherwise both live for this
    call. Outputs are those of the first inference; `repeats` further ones are timed, and their median reported: on
    a real board after `warmups`, and only if they hardly differ (lab/steady.py) or `allow_spread` is set.
    With `cycles`, the same image runs once more on a QEMU that counts blocks, and est_cycles is filled
    (lab/cycles/inference.py says where that is possible).

    Raises:
        ModelError, FitError, ToolError, LinkError: as their classes say.
    """
    if runtime != "engine":
        raise ToolError(f"runtime {runtime!r} is not searched with; time it: tinynas time --runtime {runtime}")
    with tempfile.TemporaryDirectory(prefix="tinynas-image-") as folder, _session(session, board, log) as opened:
        built = build_model(model_bytes, board, Path(folder))
        flash(opened, built)
        inputs = seeded_inputs(built.graph, SEED)[0]
        with TflmInterpreter(model_bytes, worker=interpreter) as reference:
            wanted = reference.run(inputs)
        found = opened.infer(inputs)
        stats = require_whole(opened.stats())
        timing = time_as_asked(opened, Repeats(warmups, repeats, allow_spread))
        stats = replace(stats, celsius=opened.stats().celsius)
        est_cycles = _est_cycles(built.image, board, inputs, timing) if cycles else None
        result = _measurement(model, board, built, timing, est_cycles, stats, found, wanted, str(opened.log_path))
        return result.model_copy(update=_repeatability(opened, warmups, timing, stats))


def _est_cycles(image: Image, board: Board, inputs: Sequence[NDArray[np.int8]], timing: Timing) -> int:
    found = estimate_inference(image, board, inputs)
    if found.instructions != timing.all_instructions[0]:
        raise LinkError(
            f"QEMU's block counter saw {found.instructions} instructions, the timer {timing.all_instructions[0]}; "
            "estimated cycles would be of another run"
        )
    return found.est_cycles


def time_as_asked(session: BoardSession, wanted: Repeats) -> Timing:
    """Virtual boards count, and need neither warming up nor a check; the host is warmed up; real boards both."""
    if session.board.kind == "hardware":
        return time_steadily(session, wanted)
    if session.board.kind == "host":
        session.infer_many(max(1, wanted.warmups))
    return session.time(wanted.repeats)


def _repeatability(session: BoardSession, warmups: int, timing: Timing, stats: MemoryStats) -> dict[str, object]:
    """Fields of a real board and the host; the clock is the one that the runner tells."""
    if session.board.kind == "virtual":
        return {}
    clock_hz = None if session.board.kind == "host" else session.clock_hz
    told = {"warmups": warmups, "spread": spread(timing.all_latency_us), "celsius": stats.celsius}
    return {**told, "clock_hz": clock_hz}


def flash(session: BoardSession, built: Built) -> None:
    """Flashes, and checks that the board runs this very model.

    Raises:
        FirmwareError: the runner reports another model.
    """
    hello = session.flash(built.image)
    if hello.sha256 != built.sha256:
        raise FirmwareError(
            f"flashed model {built.sha256[:12]}, but the board runs {hello.sha256[:12] or 'none'}; flash again"
        )


def same_outputs(found: Sequence[NDArray[np.int8]], wanted: Sequence[NDArray[np.int8]]) -> bool:
    """Equal byte for byte, in model order; shapes are not compared (the board's outputs are flat)."""
    return output_bytes(found) == output_bytes(wanted)


def output_bytes(outputs: Sequence[NDArray[np.int8]]) -> bytes:
    """All outputs' bytes, end to end."""
    return b"".join(output.tobytes() for output in outputs)


def require_whole(stats: MemoryStats) -> MemoryStats:
    """`stats`, if no canary was overrun.

    Raises:
        ModelFaultError: the inference wrote where it must not.
    """
    if stats.canary != "whole":
        overrun = f"the inference overran the {stats.canary} (stack: {stats.stack_reserved_bytes} B reserved)"
        raise ModelFaultError(overrun, "canary")
    return stats


def _measurement(
    model: str,
    board: Board,
    built: Built,
    timing: Timing,
    est_cycles: int | None,
    stats: MemoryStats,
    found: Sequence[NDArray[np.int8]],
    wanted: Sequence[NDArray[np.int8]],
    log: str,
) -> Measurement:
    image = built.image
    return Measurement(
        model=model,
        sha256=built.sha256,
        board=board.name,
        runtime="engine",
        engine_version=tinynas.__version__,
        toolchain=image.toolchain,
        clock_hz=None if board.kind == "host" else board.clock_hz,
        instructions=timing.instructions,
        est_cycles=est_cycles,
        latency_us=timing.latency_us,
        latency_kind=KINDS[board.kind],
        repeats=len(timing.all_latency_us),
        peak_sram_bytes=image.arena_bytes + image.statics_bytes + stats.stack_bytes,
        runner_sram_bytes=image.runner_sram_bytes,
        arena_bytes=image.arena_bytes,
        flash_bytes=image.flash_bytes or None,
        macs=built.plan.macs,
        bit_exact=same_outputs(found, wanted),
        output_sha256=hashlib.sha256(output_bytes(found)).hexdigest(),
        serial_log=log,
    )


@contextmanager
def _session(session: BoardSession | None, board: Board, log: Path | None) -> Iterator[BoardSession]:
    if session is not None:
        yield session
    else:
        with open_board(board, log=log) as opened:
            yield opened
