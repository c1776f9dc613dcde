"""Faults of a serial line and of the board behind it, each put in at a byte that a seed chooses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from tests.lab.lines import Direction, Line

HELD_S = 0.2  # a delay that a board may have
OUTAGE_S = 0.2
FROM_START = ("foreign", "baud")  # kinds that are mostly so before anything is said
BOOT = b"\r\nm-timestamp-mode-performance\r\nm-init-done\r\nm-ready\r\n"
FOREIGN = b"Hello from someone else's firmware\r\n"


@dataclass(frozen=True)
class Fault:
    """What happens, and when: at byte `at` of what goes in one direction, counted from the start of `part`."""

    kind: str  # of KINDS
    part: str  # of a job: `Harm.begin` is told
    direction: Direction
    at: int
    size: int  # bytes concerned, where that has a meaning
    seed: int


@dataclass
class Harm:
    """A `Tamper` that does one fault, once."""

    fault: Fault
    limit_s: float  # the host's patience, which some faults are made to exceed
    restart: Callable[[], None]  # of the board's process
    done: bool = False
    true: bytes = b""  # what the board has said, before any harm
    _armed: bool = False
    _count: int = 0
    _after: Callable[[Line, Direction, bytes], None] | None = None  # what happens to bytes from then on
    _rng: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        self._rng = np.random.default_rng(self.fault.seed)

    def begin(self, part: str) -> None:
        """Another part of the job begins; if it is the fault's, bytes count from now on."""
        self._armed = self._armed or part == self.fault.part

    def pass_on(self, line: Line, direction: Direction, data: bytes) -> None:
        if direction == "from_board":
            self.true += data
        if self._after is not None:
            self._after(line, direction, data)
        elif not self._armed or self.done or direction != self.fault.direction:
            line.deliver(direction, data)
        else:
            left = self.fault.at - self._count
            self._count += len(data)
            line.deliver(direction, data[:left] if left >= 0 else b"")
            if left < len(data):
                self.done = True
                KINDS[self.fault.kind](self, line, data[left:])

    # each kind gets what follows the byte at which it strikes

    def drop(self, line: Line, rest: bytes) -> None:
        self._change(line, rest, lambda harmed: b"")

    def garble(self, line: Line, rest: bytes) -> None:
        self._change(line, rest, lambda harmed: bytes(byte ^ int(self._rng.integers(1, 256)) for byte in harmed))

    def noise(self, line: Line, rest: bytes) -> None:
        line.deliver(self.fault.direction, self._rng.integers(0, 256, self.fault.size, np.uint8).tobytes() + rest)

    def delay(self, line: Line, rest: bytes) -> None:
        self._hold(line, rest, HELD_S)

    def late(self, line: Line, rest: bytes) -> None:
        self._hold(line, rest, 1.3 * self.limit_s)

    def stale(self, line: Line, rest: bytes) -> None:
        """The last whole answers come once more."""
        answers = self.true[: len(self.true) - len(rest)].split(b"m-ready\r\n")[:-1]
        line.deliver("from_board", b"".join(answer + b"m-ready\r\n" for answer in answers[-self.fault.size :]))
        line.deliver(self.fault.direction, rest)

    def hang(self, line: Line, rest: bytes) -> None:
        self._after = lambda line, direction, data: None

    def cut(self, line: Line, rest: bytes) -> None:
        line.unplug()

    def replug(self, line: Line, rest: bytes) -> None:
        """The board keeps its power."""
        line.unplug()
        line.later(OUTAGE_S, line.plug)

    def power_cut(self, line: Line, rest: bytes) -> None:
        line.unplug()
        self.restart()
        line.later(OUTAGE_S, line.plug)

    def reboot(self, line: Line, rest: bytes) -> None:
        self.restart()

    def foreign(self, line: Line, rest: bytes) -> None:
        """From now on another program answers whatever is asked."""

        def answer(line: Line, direction: Direction, data: bytes) -> None:
            if direction == "to_board":
                line.deliver("from_board", FOREIGN)

        self._after = answer
        line.deliver("from_board", FOREIGN)

    def baud(self, line: Line, rest: bytes) -> None:
        """From now on each byte is read at twice its speed: every bit twice, so the low four bits, spread."""

        def spread(line: Line, direction: Direction, data: bytes) -> None:
            line.deliver(direction, bytes(sum(3 << 2 * bit for bit in range(4) if byte >> bit & 1) for byte in data))

        self._after = spread
        spread(line, self.fault.direction, rest)

    def _change(self, line: Line, rest: bytes, harm: Callable[[bytes], bytes]) -> None:
        """`size` bytes, of which some may still be to come."""
        direction, left = self.fault.direction, self.fault.size

        def change(line: Line, way: Direction, data: bytes) -> None:
            nonlocal left
            harmed = min(left, len(data)) if way == direction else 0
            left -= harmed
            line.deliver(way, harm(data[:harmed]) + data[harmed:])

        self._after = change
        change(line, direction, rest)

    def _hold(self, line: Line, rest: bytes, seconds: float) -> None:
        held = [rest]

        def keep(line: Line, direction: Direction, data: bytes) -> None:
            if direction == self.fault.direction:
                held.append(data)
            else:
                line.deliver(direction, data)

        def release() -> None:
            self._after = None
            line.deliver(self.fault.direction, b"".join(held))

        self._after = keep
        line.later(seconds, release)


KINDS: Mapping[str, Callable[[Harm, Line, bytes], None]] = {
    kind.__name__: kind
    for kind in (
        *(Harm.drop, Harm.garble, Harm.noise, Harm.delay, Harm.late, Harm.stale, Harm.hang),
        *(Harm.cut, Harm.replug, Harm.power_cut, Harm.reboot, Harm.foreign, Harm.baud),
    )
}


def draw(kind: str, seed: int, part: str, sizes: Mapping[Direction, int]) -> Fault:
    """A fault of `kind`, somewhere in a part of a job whose directions take `sizes` bytes."""
    rng = np.random.default_rng(seed)
    direction: Direction = "to_board" if rng.integers(2) else "from_board"
    from_start = kind in FROM_START and rng.integers(2)
    at = 0 if from_start else int(rng.integers(sizes[direction]))
    return Fault(kind, part, direction, at, int(rng.integers(1, 9)), seed)
