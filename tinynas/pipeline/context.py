"""What every stage of a run works with."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tinynas.lab.board import Board
from tinynas.pipeline.config import Experiment
from tinynas.pipeline.cost import Meter
from tinynas.pipeline.files import link
from tinynas.pipeline.progress import Progress
from tinynas.pipeline.stage_store import Output, StageKey, StageStore, changes


@dataclass(frozen=True)
class Context:
    """One run: its settings and where its outputs go."""

    experiment: Experiment
    board: Board
    folder: Path  # runs/<name>
    store: StageStore
    measurements: str  # URL of the measurement store
    progress: Progress
    workers: int  # processes that train or measure side by side, one thread each; no result depends on it
    threads: int  # of a training that runs alone
    port: str | None = None  # where a real board is; no result depends on it
    used: dict[str, Output] = field(default_factory=dict)  # outputs of the run's stages so far, by name

    @property
    def meter(self) -> Meter:
        """To be told what a stage trains, and how long it keeps boards busy."""
        return self.store.meter

    def stage(self, key: StageKey, compute: Callable[[Path], None]) -> Output:
        """The output of a stage, kept or computed now, linked from the run's folder; says which, and why."""
        place = self.folder / "stages" / key.name
        found = self.store.find(key)
        if found:
            self.progress.say(f"{key.name}: kept, nothing it depends on has changed")
        else:
            self._say_why(key, place)
        output = self.used[key.name] = found or self.store.get(key, compute)
        link(place, output.folder)
        return output

    def _say_why(self, key: StageKey, place: Path) -> None:
        if self.store.begun(key):
            self.progress.say(f"{key.name}: going on where it was stopped")
        elif (place / "key.json").exists():
            self.progress.say(f"{key.name}: computed anew, since this changed: {', '.join(changes(place, key))}")


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
