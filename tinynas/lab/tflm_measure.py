"""The upstream TFLite Micro interpreter on a board, timed by our runner as our engine is."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import tinynas
from tinynas.errors import ModelFaultError
from tinynas.graph.interface import deployable
from tinynas.graph.tflite_reader import read_tflite
from tinynas.graph.tflm import TflmInterpreter
from tinynas.lab.board import Board
from tinynas.lab.build import Image
from tinynas.lab.measure import KINDS, SEED, Measurement, output_bytes, require_whole, same_outputs, time_as_asked
from tinynas.lab.replies import MemoryStats
from tinynas.lab.session import BoardSession
from tinynas.lab.steady import Repeats, spread
from tinynas.lab.tflm_build import build_arduino_tflm, build_tflm
from tinynas.lab.tflm_model import generate_tflm, op_methods
from tinynas.lab.tflm_tree import find_tree
from tinynas.lab.timing import Timing
from tinynas.plan.planner import plan
from tinynas.quantize.seeded import seeded_inputs

_ALIGN = 16
_SPARE_BYTES = 8_192  # of SRAM, for the runner's and the library's statics
_SCRATCH = 1.25  # CMSIS-NN's kernels take scratch memory that the reference kernels on this machine do not


def measure_tflm_on_board(
    content: bytes, session: BoardSession, wanted: Repeats, *, model: str = "", folder: Path | None = None
) -> Measurement:
    """Builds the .tflite `content` with upstream's interpreter, flashes, checks and times it on `session`'s board.

    `folder` holds upstream's sources (default: $TINYNAS_TFLM); a board with an Arduino core gets them by PlatformIO.
    `bit_exact` tells whether outputs equal those of the interpreter on this machine; `arena_bytes` is what the
    interpreter on the board says that it uses.

    Raises:
        ToolError: the sources are not there (says how to get them), or do not compile.
        FitError: it does not fit.
        LinkError: the board fails, or the interpreter there finds its arena too small.
    """
    graph = read_tflite(content)
    inputs = seeded_inputs(graph, SEED)[0]
    with TflmInterpreter(content) as interpreter:
        reference, host_bytes = interpreter.run(inputs), interpreter.arena_used_bytes
    with tempfile.TemporaryDirectory(prefix="tinynas-image-") as scratch:
        image = tflm_image(content, session.board, host_bytes, Path(scratch), folder)
        session.flash(image)
    ran = _run(session, inputs, wanted, image.arena_bytes)
    macs = plan(graph, session.board.core).macs
    result = _measurement(model, content, macs, session, image, ran, reference)
    if session.board.kind == "virtual":
        return result
    return result.model_copy(update={"warmups": wanted.warmups, "spread": spread(ran.timing.all_latency_us)})


@dataclass(frozen=True)
class _Ran:
    """What the board did."""

    outputs: list[NDArray[np.int8]]  # of the first inference, flat
    stats: MemoryStats
    timing: Timing


def _run(session: BoardSession, inputs: Sequence[NDArray[np.int8]], wanted: Repeats, arena_bytes: int) -> _Ran:
    try:
        outputs = session.infer(inputs)
    except ModelFaultError as error:
        raise ModelFaultError(
            f"{error}; the interpreter did not start: its arena of {arena_bytes} B is too small, or an op failed",
            error.code,
        ) from error
    return _Ran(outputs, require_whole(session.stats()), time_as_asked(session, wanted))


def _measurement(
    model: str,
    content: bytes,
    macs: int,
    session: BoardSession,
    image: Image,
    ran: _Ran,
    reference: Sequence[NDArray[np.int8]],
) -> Measurement:
    return Measurement(
        model=model,
        sha256=hashlib.sha256(content).hexdigest(),
        board=session.board.name,
        runtime="tflm",
        engine_version=tinynas.__version__,
        toolchain=image.toolchain,
        clock_hz=session.clock_hz,
        instructions=ran.timing.instructions,
        latency_us=ran.timing.latency_us,
        latency_kind=KINDS[session.board.kind],
        repeats=len(ran.timing.all_latency_us),
        peak_sram_bytes=ran.stats.arena_bytes + image.statics_bytes + ran.stats.stack_bytes,
        runner_sram_bytes=image.runner_sram_bytes,
        arena_bytes=ran.stats.arena_bytes,
        flash_bytes=image.flash_bytes or None,
        macs=macs,
        bit_exact=same_outputs(ran.outputs, reference),
        output_sha256=hashlib.sha256(output_bytes(ran.outputs)).hexdigest(),
        serial_log=str(session.log_path),
        celsius=ran.stats.celsius,
    )


def tflm_image(content: bytes, board: Board, host_bytes: int, scratch: Path, folder: Path | None = None) -> Image:
    """The image, left in `scratch`; its `toolchain` names upstream's code too.

    `host_bytes`: what the interpreter on this machine uses of its arena.

    Raises:
        ToolError: upstream's sources are not there (says how to get them), or do not compile.
        FitError: it does not fit.
    """
    generated = generate_tflm(content, _arena_bytes(host_bytes, board))
    if board.framework == "arduino":
        image = build_arduino_tflm(generated, board, scratch)
        return replace(image, toolchain=f"{image.toolchain}, TFLite Micro by PlatformIO")
    tree = find_tree(board, folder)
    tree.require(op_methods(deployable(read_tflite(content))))
    image = build_tflm(generated, board, tree, scratch)
    kernels = "CMSIS-NN" if tree.cmsis_nn else "reference kernels"
    return replace(image, toolchain=f"{image.toolchain}, TFLite Micro {tree.sha256[:12]} with {kernels}")


def _arena_bytes(host_bytes: int, board: Board) -> int:
    """More than on this machine, where pointers are wider but kernels need no scratch; at most what the board has."""
    wanted = int(host_bytes * _SCRATCH) + _SPARE_BYTES
    room = board.sram.size_bytes - board.stack_bytes - _SPARE_BYTES
    return max(_ALIGN, min(wanted, room) // _ALIGN * _ALIGN)
