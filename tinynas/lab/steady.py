"""Whether a real board's times can be believed: warmed up, repeatable, and by a clock that runs at its rate."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from tinynas.errors import UnsteadyError
from tinynas.lab.session import BoardSession
from tinynas.lab.timing import Timing

MAX_SPREAD = 0.02
_CLOCK_S = 1.0  # how long the two clocks are compared; cycle counters wrap after seconds
_CLOCK_TOLERANCE = 0.05  # internal oscillators are within 1 to 3 %; a wrong divider is off by far more


@dataclass(frozen=True)
class Repeats:
    """How to time: inferences before, and then one by one; and whether to report whatever comes out."""

    warmups: int
    repeats: int
    allow_spread: bool = False


def spread(times: Sequence[float]) -> float:
    """(largest - smallest) / median, as a fraction of 1."""
    ordered = sorted(times)
    middle = ordered[(len(ordered) - 1) // 2]
    return (ordered[-1] - ordered[0]) / middle if middle else 0.0


def time_steadily(session: BoardSession, wanted: Repeats) -> Timing:
    """Times the model on the board, after warm-ups.

    Raises:
        UnsteadyError: repeats differ by more than MAX_SPREAD of their median (unless `wanted.allow_spread`), or the
            board's clock disagrees with this machine's.
    """
    require_clock(session)
    session.infer_many(max(1, wanted.warmups))
    timing = session.time(wanted.repeats)
    found = spread(timing.all_latency_us)
    if found > MAX_SPREAD and not wanted.allow_spread:
        least, most = min(timing.all_latency_us), max(timing.all_latency_us)
        raise UnsteadyError(
            f"{session.board.name}: {wanted.repeats} repeats took {least:,.1f} to {most:,.1f} us, a spread of "
            f"{100 * found:.1f} %, wanted at most {100 * MAX_SPREAD:g} %: something else runs on the board, or its "
            "clock changes; time more repeats, or report it all the same: --allow-spread"
        )
    return timing


def require_clock(session: BoardSession, over_s: float = _CLOCK_S) -> None:
    """Compares the board's clock with this machine's.

    Raises:
        UnsteadyError: they disagree: the firmware thinks that the core runs at another clock than it does.
    """
    start_us, start_s = session.now_us(), time.monotonic()
    time.sleep(over_s)
    board_s, here_s = (session.now_us() - start_us) / 1e6, time.monotonic() - start_s
    require_same_clock(session.board.name, board_s, here_s)


def require_same_clock(name: str, board_s: float, here_s: float) -> None:
    """Raises UnsteadyError unless `board_s` seconds on the board are `here_s` here."""
    if abs(board_s / here_s - 1) > _CLOCK_TOLERANCE:
        raise UnsteadyError(
            f"{name}: {board_s:.3f} s by the board's clock were {here_s:.3f} s here: the core does not run at the "
            "clock_hz of its board file (a missing crystal?), so times would be wrong; mend the file or the port"
        )
