"""Talking to a board that runs the runner: load, infer, time, profile."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinynas.errors import GarbledError, ModelError, PortLostError, RefusedError
from tinynas.lab import replies
from tinynas.lab.board import Board
from tinynas.lab.build import Image
from tinynas.lab.device import AS_THE_BOARD_SAYS, AttachedDevice, Device, Flashing
from tinynas.lab.flashers.registry import flasher
from tinynas.lab.hostboard import HostBoard
from tinynas.lab.limits import GENEROUS, Limits
from tinynas.lab.link import SerialLink
from tinynas.lab.ports import port_lock, port_of
from tinynas.lab.rawlog import RawLog, default_log
from tinynas.lab.replies import Hello, Laps, MemoryStats, Place
from tinynas.lab.timing import Clock, OpTiming, Timing
from tinynas.lab.transfer import upload
from tinynas.lab.virtual import QemuBoard

Int8 = NDArray[np.int8]

_LOADS = 3  # if the port goes away after the first input: with it went, perhaps, what was loaded
_DEBUGGER_FROM_BYTES = 512  # below, the serial line is as fast as halting the machine


class BoardSession:
    """One board, held open. `flash` comes first; results are those of the first inference after a load."""

    def __init__(self, board: Board, device: Device, log: RawLog, limits: Limits = GENEROUS) -> None:
        self.board = board
        self.limits = limits
        self.busy_s = 0.0  # spent on flashing, loading, commands and their answers: not on waiting for the next of them
        self._device = device
        self._log = log
        self._inputs: tuple[Place, ...] = ()
        self._output_bytes: tuple[int, ...] = ()
        self._op_count = 0
        self._clock_hz: int | None = None  # what the runner says it is set up for
        self._extensions: tuple[str, ...] = ()

    @property
    def log_path(self) -> Path:
        return self._log.path

    @property
    def link(self) -> SerialLink:
        """The line itself, for those who pass its bytes on."""
        return self._device.link

    def log_to(self, path: Path) -> None:
        """What goes over the line from now on is logged in the file at `path`."""
        self._log.continue_in(path)

    def flash(self, image: Image) -> Hello:
        """Writes the image, restarts the board and asks the runner what it is.

        Raises:
            LinkError: the board crashes, stays silent, or runs something else.
        """
        return self.flash_elf(image.elf)

    def flash_elf(self, elf: Path) -> Hello:
        """Like `flash`, for an image that someone else built."""
        with self._busy():
            self._device.program(elf)
        return self.attach()

    def attach(self) -> Hello:
        """Learns from a runner that is already there, whatever it was left in the middle of.

        Raises:
            FirmwareError: it is not our runner, or of another version.
            LinkError: it does not answer, or not whole.
        """
        hello = replies.hello(self._first_words())
        self._extensions = hello.extensions
        self._op_count = hello.ops
        self._clock_hz = hello.clock_hz
        lines = self._command("io")
        self._inputs = replies.places(lines, "m-input-")
        self._output_bytes = tuple(place.size_bytes for place in replies.places(lines, "m-output-"))
        return hello

    def _first_words(self) -> list[str]:
        link = self._device.link
        try:
            with self._busy():
                link.synchronise(self.limits.synchronise_s)
            link.tagged = True
        except RefusedError:  # an older runner
            link.tagged = False
        return self._command("profile")

    def infer(self, inputs: Sequence[Int8]) -> list[Int8]:
        """Loads `inputs`, runs once and returns the outputs' int8 bytes, flat, in model order."""
        self.load(inputs)
        return replies.outputs(self._command("run", self.limits.inference_s), self._output_bytes)

    def load(self, inputs: Sequence[Int8]) -> None:
        """Writes every input: large ones through the debugger where the board has one, others over the line."""
        found = tuple(array.nbytes for array in inputs)
        wanted = tuple(place.size_bytes for place in self._inputs)
        if found != wanted:
            raise ModelError(f"the model on the board takes inputs of {wanted} bytes, found {found}")
        rest = [i for i, data in enumerate(inputs) if not self._poke(self._inputs[i], data.tobytes())]
        if "put" not in self._extensions:
            self.load_hex(b"".join(array.tobytes() for array in inputs))
            return
        self._upload(rest, inputs)
        if len(rest) < len(inputs):
            self._command("loaded")

    def _upload(self, indices: Sequence[int], inputs: Sequence[Int8]) -> None:
        for _ in range(_LOADS):
            with self._busy():
                done = [upload(self._device.link, i, inputs[i].tobytes(), self.limits) for i in indices]
            if not any(part.board_lost for part in done[1:]):
                return
        raise PortLostError(f"{self._device.link.port}: the port went away during {_LOADS} loads of the inputs")

    def load_hex(self, data: bytes) -> None:
        """Loads the inputs, end to end, as MLPerf Tiny's runner does: 31 bytes a command, in hex."""
        self._command(f"db load {len(data)}")
        for at in range(0, len(data), 31):
            self._command(f"db {data[at : at + 31].hex()}")

    def outputs(self) -> list[Int8]:
        """Outputs of the first inference since the last load."""
        return replies.outputs(self._command("out"), self._output_bytes)

    def time(self, repeats: int) -> Timing:
        """Times `repeats` inferences one by one."""
        lines = self._command(f"time {repeats}", self.limits.inference_s * repeats)
        overhead = replies.number(lines, "m-overhead-")
        ticks = [count - overhead for count in replies.numbers(lines, "m-ticks-")]
        if len(ticks) != repeats:
            raise GarbledError(f"wanted {repeats} times, the board sent {len(ticks)}")
        return self._clock().timing(ticks)

    def infer_many(self, repeats: int, warmups: int = 0) -> Laps:
        """MLPerf Tiny's `infer`: after `warmups`, the board's own clock before and after `repeats` inferences."""
        return replies.laps(self._command(f"infer {repeats} {warmups}", self.limits.inference_s * (repeats + warmups)))

    def now_us(self) -> int:
        """The board's own clock."""
        return replies.number(self._command("timestamp"), "m-lap-us-")

    @property
    def clock_hz(self) -> int:
        """What the firmware says that the core runs at; else the board file's."""
        return self._clock_hz or self.board.clock_hz

    def stats(self) -> MemoryStats:
        """Memory marks of the last inference."""
        return replies.memory(self._command("stats"))

    def profile(self) -> list[OpTiming]:
        """Time of every op; needs an image built with `profile=True`, and inputs loaded or not."""
        ops = self._ops_from(0)
        while len(ops) < self._op_count:
            ops += self._ops_from(len(ops))
        return ops

    def _ops_from(self, first: int) -> list[OpTiming]:
        lines = self._command(f"ops {first}", self.limits.inference_s)
        overhead = replies.number(lines, "m-overhead-")
        clock = self._clock()
        return [clock.op(index, ticks - overhead) for index, ticks in replies.op_ticks(lines)]

    def _clock(self) -> Clock:
        return Clock(self.board.virtual, self.clock_hz)

    def _poke(self, place: Place, data: bytes) -> bool:
        with self._busy():
            return len(data) >= _DEBUGGER_FROM_BYTES and self._device.write_memory(place.address, data)

    def _command(self, text: str, limit_s: float | None = None) -> list[str]:
        with self._busy():
            return self._device.link.command(text, self.limits.command_s if limit_s is None else limit_s)

    @contextmanager
    def _busy(self) -> Iterator[None]:
        began_s = time.monotonic()
        try:
            yield
        finally:
            self.busy_s += time.monotonic() - began_s


@contextmanager
def open_board(
    board: Board,
    *,
    log: Path | None = None,
    port: str | None = None,
    flashing: Flashing = AS_THE_BOARD_SAYS,
    limits: Limits = GENEROUS,
) -> Iterator[BoardSession]:
    """A session with `board`: a virtual one or the host is started, a real one is at `port` or found by its USB ids.

    The raw serial log goes to `log` (default: a new file in the cache's `logs`) and is kept.

    Raises:
        BoardError: a real board, without `port`, that is not attached, or more than once.
        BusyError: another process uses the board.
        LinkError: its port cannot be opened.
    """
    if flashing.flasher is not None:
        flasher(board, flashing.flasher)  # refused before anything is opened
    with ExitStack() as stack:
        if board.kind == "hardware":
            port = port or port_of(board)
        if port is not None:
            stack.enter_context(port_lock(port, f"{board.name} by tinynas"))
        raw_log = RawLog(log or default_log(board.name))
        stack.callback(raw_log.close)
        device = _device(board, raw_log, port, flashing)
        stack.callback(device.close)
        yield BoardSession(board, device, raw_log, limits)


def copies(board: Board, wanted: int, port: str | None = None) -> int:
    """How many of `board` can be open at once: of a real one, or one at a `port`, there is one."""
    return 1 if port is not None or board.kind == "hardware" else wanted


def _device(board: Board, log: RawLog, port: str | None, flashing: Flashing) -> Device:
    if port is not None:
        return AttachedDevice(board, port, log, flashing)
    if board.kind == "virtual":
        return QemuBoard(board, log, flashing=flashing)
    return HostBoard(log)
