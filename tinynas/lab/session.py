"""Talking to a board that runs the runner: load, infer, time, profile."""

from __future__ import annotations

import math
import statistics
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinynas.errors import BoardError, LinkError, ModelError
from tinynas.lab.board import Board
from tinynas.lab.build import Image
from tinynas.lab.device import AttachedDevice, Device
from tinynas.lab.hostboard import HostBoard
from tinynas.lab.rawlog import RawLog, default_log
from tinynas.lab.virtual import QemuBoard

Int8 = NDArray[np.int8]

_COMMAND_LIMIT_S = 20.0
_INFERENCE_LIMIT_S = 120.0  # of one inference: 10 times what the largest reference model takes on QEMU
_DEBUGGER_FROM_BYTES = 512  # below, the serial line is as fast as halting the machine
_EMPTY_CALL_INSTRUCTIONS = 1  # tn_port_empty


@dataclass(frozen=True)
class Place:
    """An input or output tensor on the board."""

    address: int
    size_bytes: int


@dataclass(frozen=True)
class Hello:
    """What the runner says of itself."""

    version: str
    model: str
    sha256: str  # of the .tflite that the image was generated from
    ops: int
    extensions: tuple[str, ...]


@dataclass(frozen=True)
class Timing:
    """Repeats of one inference. Instructions are exact, those of `invoke` alone; None where ticks are time."""

    instructions: int | None  # median
    latency_us: float  # median
    all_instructions: tuple[int, ...]
    all_latency_us: tuple[float, ...]


@dataclass(frozen=True)
class MemoryStats:
    """Memory after the last inference."""

    arena_bytes: int
    stack_bytes: int  # high-water mark of the inference
    stack_reserved_bytes: int
    canary: str  # "whole", or what was overrun


@dataclass(frozen=True)
class OpTiming:
    """One op of a profiling image."""

    index: int
    instructions: int | None
    latency_us: float


class BoardSession:
    """One board, held open. `flash` comes first; results are those of the first inference after a load."""

    def __init__(self, board: Board, device: Device, log: RawLog) -> None:
        self.board = board
        self._device = device
        self._log = log
        self._inputs: tuple[Place, ...] = ()
        self._output_bytes: tuple[int, ...] = ()
        self._op_count = 0

    @property
    def log_path(self) -> Path:
        return self._log.path

    def flash(self, image: Image) -> Hello:
        """Writes the image, restarts the board and asks the runner what it is.

        Raises:
            LinkError: the board crashes, stays silent, or runs something else.
        """
        return self.flash_elf(image.elf)

    def flash_elf(self, elf: Path) -> Hello:
        """Like `flash`, for an image that someone else built."""
        self._device.program(elf)
        return self.attach()

    def attach(self) -> Hello:
        """Learns from a runner that is already there."""
        hello = _hello(self._command("profile"))
        self._op_count = hello.ops
        places = self._command("io")
        self._inputs = tuple(_place(line) for line in places if line.startswith("m-input-"))
        self._output_bytes = tuple(_place(line).size_bytes for line in places if line.startswith("m-output-"))
        return hello

    def infer(self, inputs: Sequence[Int8]) -> list[Int8]:
        """Loads `inputs`, runs once and returns the outputs' int8 bytes, flat, in model order."""
        self.load(inputs)
        return self._outputs(self._command("run", _INFERENCE_LIMIT_S))

    def load(self, inputs: Sequence[Int8]) -> None:
        """Writes every input: large ones through the debugger where the board has one, others over the line."""
        found = tuple(array.nbytes for array in inputs)
        wanted = tuple(place.size_bytes for place in self._inputs)
        if found != wanted:
            raise ModelError(f"the model on the board takes inputs of {wanted} bytes, found {found}")
        rest = [i for i, data in enumerate(inputs) if not self._poke(self._inputs[i], data.tobytes())]
        for index in rest:
            self._send_binary(index, inputs[index].tobytes())
        if len(rest) < len(inputs):
            self._command("loaded")

    def load_hex(self, data: bytes) -> None:
        """Loads the inputs, end to end, as MLPerf Tiny's runner does: 31 bytes a command, in hex."""
        self._command(f"db load {len(data)}")
        for at in range(0, len(data), 31):
            self._command(f"db {data[at : at + 31].hex()}")

    def outputs(self) -> list[Int8]:
        """Outputs of the first inference since the last load."""
        return self._outputs(self._command("out"))

    def _outputs(self, lines: list[str]) -> list[Int8]:
        data = bytes.fromhex("".join(line.removeprefix("m-hex-") for line in lines if line.startswith("m-hex-")))
        wanted = int(_value(lines, "m-crc-"), 16)
        if len(data) != sum(self._output_bytes) or zlib.crc32(data) != wanted:
            raise LinkError(
                f"outputs garbled on the line: {len(data)} B with CRC {zlib.crc32(data):08x}, wanted {wanted:08x}"
            )
        ends = np.cumsum(self._output_bytes)[:-1]
        return np.split(np.frombuffer(data, np.int8), ends)

    def time(self, repeats: int) -> Timing:
        """Times `repeats` inferences one by one."""
        lines = self._command(f"time {repeats}", _INFERENCE_LIMIT_S * repeats)
        overhead = int(_value(lines, "m-overhead-"))
        ticks = [int(line.removeprefix("m-ticks-")) - overhead for line in lines if line.startswith("m-ticks-")]
        if len(ticks) != repeats:
            raise LinkError(f"wanted {repeats} times, the board sent {len(ticks)}")
        return self._timing(ticks)

    def laps(self, repeats: int) -> tuple[int, int]:
        """The board's own clock in microseconds before and after `repeats` inferences (MLPerf Tiny's `infer`)."""
        lines = self._command(f"infer {repeats} 0", _INFERENCE_LIMIT_S * repeats)
        start, end = (int(line.removeprefix("m-lap-us-")) for line in lines if line.startswith("m-lap-us-"))
        return start, end

    def stats(self) -> MemoryStats:
        """Memory marks of the last inference."""
        lines = self._command("stats")
        return MemoryStats(
            arena_bytes=int(_value(lines, "m-arena-")),
            stack_bytes=int(_value([line for line in lines if "reserved" not in line], "m-stack-")),
            stack_reserved_bytes=int(_value(lines, "m-stack-reserved-")),
            canary=_value(lines, "m-canary-"),
        )

    def profile(self) -> list[OpTiming]:
        """Time of every op; needs an image built with `profile=True`, and inputs loaded or not."""
        ops = self._ops_from(0)
        while len(ops) < self._op_count:
            ops += self._ops_from(len(ops))
        return ops

    def _ops_from(self, first: int) -> list[OpTiming]:
        lines = self._command(f"ops {first}", _INFERENCE_LIMIT_S)
        overhead = int(_value(lines, "m-overhead-"))
        pairs = [line.removeprefix("m-op-").split("-") for line in lines if line.startswith("m-op-")]
        return [self._op(int(index), int(ticks) - overhead) for index, ticks in pairs]

    def _op(self, index: int, ticks: int) -> OpTiming:
        timing = self._timing([ticks])
        return OpTiming(index, timing.instructions, timing.latency_us)

    def _timing(self, ticks: list[int]) -> Timing:
        instructions = tuple(self._instructions(count) for count in ticks) if self.board.virtual else ()
        counts = instructions or tuple(ticks)
        median = statistics.median_low(counts)  # of those that occurred, so that latency and instructions agree
        latencies = tuple(self._latency_us(count) for count in counts)
        return Timing(
            instructions=median if instructions else None,
            latency_us=self._latency_us(median),
            all_instructions=instructions,
            all_latency_us=latencies,
        )

    def _instructions(self, ticks: int) -> int:
        assert self.board.virtual is not None
        exact = Fraction(ticks) / self.board.virtual.ticks_per_instruction
        return math.floor(exact + Fraction(1, 2)) + _EMPTY_CALL_INSTRUCTIONS

    def _latency_us(self, count: int) -> float:
        return max(count, 0) / self.board.clock_hz * 1e6  # on the host, noise can make the overhead larger

    def _poke(self, place: Place, data: bytes) -> bool:
        return len(data) >= _DEBUGGER_FROM_BYTES and self._device.write_memory(place.address, data)

    def _send_binary(self, index: int, data: bytes) -> None:
        text = f"bin {index} {len(data)} {zlib.crc32(data):08x}"
        link = self._device.link
        link.send(f"{text}%".encode("ascii"))
        link.answer(text, _COMMAND_LIMIT_S, until="m-[Expecting")
        link.send(data)
        link.answer(text, _COMMAND_LIMIT_S + len(data) / 5_000)

    def _command(self, text: str, limit_s: float = _COMMAND_LIMIT_S) -> list[str]:
        return self._device.link.command(text, limit_s)


@contextmanager
def open_board(board: Board, *, log: Path | None = None, port: str | None = None) -> Iterator[BoardSession]:
    """A session with `board`; a virtual board or the host is started, hardware is found at `port`.

    The raw serial log goes to `log` (default: a new file in the cache's `logs`) and is kept.
    """
    raw_log = RawLog(log or default_log(board.name))
    try:
        device = _device(board, raw_log, port)
        try:
            yield BoardSession(board, device, raw_log)
        finally:
            device.close()
    finally:
        raw_log.close()


def _device(board: Board, log: RawLog, port: str | None) -> Device:
    if port is not None:
        return AttachedDevice(board, port, log)
    if board.kind == "virtual":
        return QemuBoard(board, log)
    if board.kind == "host":
        return HostBoard(log)
    raise BoardError(f"{board.name} is a real board: attach it and give its serial port, as in: --port /dev/ttyACM0")


def _hello(lines: list[str]) -> Hello:
    def inside(start: str) -> str:
        return _value(lines, f"{start}[").removesuffix("]")

    return Hello(
        inside("m-profile-"),
        inside("m-model-"),
        inside("m-sha256-"),
        int(_value(lines, "m-ops-")),
        tuple(inside("m-extensions-").split()),
    )


def _place(line: str) -> Place:
    _, address, size = line.partition("[")[2].removesuffix("]").split(",")
    return Place(int(address, 16), int(size))


def _value(lines: list[str], start: str) -> str:
    for line in lines:
        if line.startswith(start):
            return line.removeprefix(start)
    raise LinkError(f"wanted a line {start}..., the board sent {lines}; is its runner older than this program?")
