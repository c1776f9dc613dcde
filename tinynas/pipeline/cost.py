"""What a piece of work cost, kept in its cost.json; if it was killed and taken up again, the sum of its attempts.

- wall_s: from begin to end.
- cpu_s: user and system time of this process and of all processes that it started: workers, compilers, QEMU. Not of
  other machines, as those of a Ray cluster. null on systems without /proc.
- device_s: seconds in which boards, real, virtual or the host, were busy for it, summed over boards: being flashed,
  receiving inputs, computing, answering. Neither building firmware nor a board that waits for its next model counts.
- networks, epochs: of training, in what it leaves: epochs summed over networks; of a block library over blocks; of a
  supernet over the subnets that a step trains. An epoch that a kill cut off and that was begun again counts once here,
  and twice in the seconds.
- epochs_equivalent: those epochs in epochs of training the reference, by multiply-accumulates; null if not computed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from tinynas.pipeline.beside import beside
from tinynas.pipeline.cpu_time import cpu_seconds
from tinynas.pipeline.files import read_json, write_json

_EVERY_S = 2.0  # a killed attempt is known up to that long before its end,
_SHARE = 0.01  # or longer, where many processes run and looking at them would take more than this part of the time


@dataclass(frozen=True)
class Training:
    """What was trained."""

    networks: int = 0
    epochs: float = 0.0
    epochs_equivalent: float | None = None


@dataclass(frozen=True)
class Attempt:
    """What one attempt took, up to its end or up to when it was last seen alive."""

    wall_s: float
    cpu_s: float | None
    device_s: float


@dataclass(frozen=True)
class Cost:
    """What is in a cost.json, summed."""

    wall_s: float
    cpu_s: float | None
    device_s: float
    attempts: int
    networks: int
    epochs: float
    epochs_equivalent: float | None

    @classmethod
    def load(cls, path: Path) -> Cost | None:
        """None where there is no such file: of what was made before costs were kept, nobody knows them."""
        if not path.exists():
            return None
        found = read_json(path)
        attempts = [Attempt(**attempt) for attempt in found["attempts"]]
        cpu_s = [attempt.cpu_s for attempt in attempts]
        return cls(
            wall_s=round(sum(attempt.wall_s for attempt in attempts), 2),
            cpu_s=None if None in cpu_s else round(sum(s for s in cpu_s if s is not None), 2),
            device_s=round(sum(attempt.device_s for attempt in attempts), 2),
            attempts=len(attempts),
            **found["training"],
        )


class Meter:
    """Takes note of what work costs. One piece of work is under way at a time, in whatever threads and processes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._device_s = 0.0
        self._training = Training()

    def device(self, seconds: float) -> None:
        """A board was busy for the work under way."""
        with self._lock:
            self._device_s += seconds

    def trained(self, networks: int, epochs: float, epochs_equivalent: float | None = None) -> None:
        """All that the work under way has trained, over all its attempts: `epochs` in all of its networks."""
        self._training = Training(networks, epochs, epochs_equivalent)

    @contextmanager
    def costing(self, path: Path) -> Iterator[None]:
        """Keep in the file `path` what happens in this context costs, after the attempts that are there already."""
        earlier = read_json(path)["attempts"] if path.exists() else []
        began_s, began_cpu_s, began_device_s = time.monotonic(), cpu_seconds(), self._device_s
        self._training = Training()

        def write() -> None:
            now_cpu_s = cpu_seconds()
            cpu_s = None if now_cpu_s is None or began_cpu_s is None else round(max(now_cpu_s - began_cpu_s, 0.0), 2)
            wall_s, device_s = time.monotonic() - began_s, self._device_s - began_device_s
            attempt = Attempt(round(wall_s, 2), cpu_s, round(device_s, 2))
            write_json(path, {"attempts": [*earlier, asdict(attempt)], "training": asdict(self._training)})

        write()
        try:
            with _again_and_again(write):
                yield
        except BaseException:
            with suppress(OSError):  # what went wrong first is to be told
                write()
            raise
        write()


@contextmanager
def _again_and_again(write: Callable[[], None]) -> Iterator[None]:
    """Call `write` from another thread every few seconds: a kill leaves no time for it."""

    def run(over: threading.Event) -> None:
        took_s = 0.0
        while not over.wait(max(_EVERY_S, took_s / _SHARE)):
            began_s = time.monotonic()
            with suppress(OSError):  # a full disk stops the work itself soon enough
                write()
            took_s = time.monotonic() - began_s

    with beside(run):
        yield
