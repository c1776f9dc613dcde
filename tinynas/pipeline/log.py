"""log.jsonl of a run: one JSON line per event, appended over all sittings, and the times that follow from it."""

from __future__ import annotations

import datetime
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tinynas.pipeline.progress import Progress

_EVERY_S = 1.0  # a killed sitting counts up to its last line, so the time lost is at most about this much

Event = dict[str, Any]


class RunLog:
    """Appends to `path`. `experiment` is the digest of the settings: only sittings with equal settings are summed."""

    def __init__(self, path: Path, experiment: str) -> None:
        self.path, self.experiment = path, experiment
        self.sitting = max((event["sitting"] for event in read_events(path)), default=0) + 1
        self._begun_s = time.monotonic()

    def write(self, event: str, **fields: Any) -> None:
        """One line, on its way to the disk when this returns."""
        line = {
            "sitting": self.sitting,
            "experiment": self.experiment,
            "t_s": round(time.monotonic() - self._begun_s, 3),
            "at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "event": event,
            **fields,
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        torn = self.path.exists() and not self.path.read_bytes().endswith(b"\n")
        with self.path.open("a", encoding="utf-8") as file:
            file.write(("\n" if torn else "") + json.dumps(line) + "\n")

    def wall_s(self) -> float:
        """Time spent on these settings in all sittings, each from its start to its last event."""
        ends: dict[int, float] = {}
        for event in self._events():
            ends[event["sitting"]] = max(ends.get(event["sitting"], 0.0), event["t_s"])
        return sum(ends.values())

    def stage_s(self) -> dict[str, float]:
        """Time spent in each stage, all sittings together, in the order of their first start."""
        spent: dict[str, float] = {}
        begun: dict[tuple[int, str], float] = {}
        for event in self._events():
            if "stage" not in event:
                continue
            sitting, stage, t_s = event["sitting"], event["stage"], event["t_s"]
            if event["event"] != "begin":
                spent[stage] = spent.get(stage, 0.0) + t_s - begun.get((sitting, stage), t_s)
            begun[sitting, stage] = t_s
            spent.setdefault(stage, 0.0)
        return spent

    def _events(self) -> list[Event]:
        return [event for event in read_events(self.path) if event["experiment"] == self.experiment]


def read_events(path: Path) -> Iterator[Event]:
    """The events in `path`; a line that a killed run left half written is passed over."""
    if not path.exists():
        return
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            continue


class LoggedProgress:
    """A `Progress` that shows what it is told, and logs it."""

    def __init__(self, shown: Progress, log: RunLog) -> None:
        self.shown, self.log = shown, log
        self._stage = ""
        self._logged_s = 0.0

    def begin(self, stage: str, what: str, total: int) -> None:
        self._stage = stage
        self.log.write("begin", stage=stage, what=what, total=total)
        self.shown.begin(stage, what, total)

    def advance(self, completed: int, note: str = "") -> None:
        now_s = time.monotonic()
        if now_s - self._logged_s >= _EVERY_S:
            self._logged_s = now_s
            self.log.write("progress", stage=self._stage, completed=completed, note=note)
        self.shown.advance(completed, note)

    def expect(self, total: int) -> None:
        self.log.write("expect", stage=self._stage, total=total)
        self.shown.expect(total)

    def end(self, note: str = "") -> None:
        self.log.write("end", stage=self._stage, note=note)
        self.shown.end(note)

    def say(self, line: str) -> None:
        self.log.write("say", text=line)
        self.shown.say(line)

    def view(self, picture: str) -> None:
        self.shown.view(picture)
