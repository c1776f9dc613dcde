"""A line of a given speed and delay, which counts what it carries and how long that takes on the line."""

from __future__ import annotations

import time

from tests.lab.lines import Direction, Line

_PIECE = 64  # bytes; finer than a frame, so that a board can answer one frame while the next is on the line


class Throttle:
    """Carries `bytes_per_s` in each direction, with a delay of `round_trip_s` / 2 each way.

    Bytes are held back for as long as the line would take, at least. `line_s` is computed, not measured: both ends are
    taken to answer at once, but never before everything that they had been given when their bytes were seen here. So a
    busy machine makes the test slower, and the figure by no more than one answer per window worse.
    """

    def __init__(self, bytes_per_s: float, round_trip_s: float) -> None:
        self._byte_s = 1 / bytes_per_s
        self._delay_s = round_trip_s / 2
        self.carried = {"to_board": 0, "from_board": 0}
        self.line_s = 0.0  # when the last byte arrived, by the line's own clock, which starts with the first byte
        self._free_s = {"to_board": 0.0, "from_board": 0.0}  # the line's clock: when the last byte has left
        self._heard_s = {"to_board": 0.0, "from_board": 0.0}  # when the last byte given to the receiving end came
        self._held_to_s = {"to_board": 0.0, "from_board": 0.0}  # this machine's clock

    def pass_on(self, line: Line, direction: Direction, data: bytes) -> None:
        cause_s = self._heard_s["from_board" if direction == "to_board" else "to_board"]
        self.carried[direction] += len(data)
        for at in range(0, len(data), _PIECE):
            self._hold(line, direction, data[at : at + _PIECE], cause_s)

    def _hold(self, line: Line, direction: Direction, piece: bytes, cause_s: float) -> None:
        self._free_s[direction] = max(self._free_s[direction], cause_s) + len(piece) * self._byte_s
        arrival_s = self._free_s[direction] + self._delay_s
        now_s = time.monotonic()
        self._held_to_s[direction] = max(self._held_to_s[direction], now_s) + len(piece) * self._byte_s

        def arrive() -> None:
            self._heard_s[direction] = self.line_s = max(self.line_s, arrival_s)
            line.deliver(direction, piece)

        line.later(self._held_to_s[direction] + self._delay_s - now_s, arrive)
