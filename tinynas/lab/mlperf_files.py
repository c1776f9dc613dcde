"""The files that MLPerf Tiny's runner leaves: sessions/<time>/{log.txt,results.txt,results.json}."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

from tinynas.errors import StoreError
from tinynas.lab.files import write_whole
from tinynas.lab.mlperf import Accuracy, Performance, Window

_TRIES = 50  # each tenth of a second: a folder is named after the second in which it was made


class SessionFolder:
    """One pass: its folder, and its log while it runs."""

    def __init__(self, root: Path) -> None:
        try:
            self.path = _make(root / "sessions")
            self._log: TextIO = (self.path / "log.txt").open("w", encoding="utf-8", buffering=1)
        except OSError as error:
            raise StoreError(f"{root}: cannot be written: {error.strerror}") from error

    def log(self, *lines: str) -> None:
        """Appends lines with the time before them, as the benchmark's runner does."""
        for line in lines:
            self._log.write(f"{time.strftime('%m%d.%H%M%S')} ulp-mlperf: {line}\n")

    def finish(self, windows: Sequence[Window], summary: str, *, timed: bool) -> None:
        """Writes both results, and closes the log."""
        write_whole(self.path / "results.json", json.dumps([entry(window, timed=timed) for window in windows]) + "\n")
        write_whole(self.path / "results.txt", summary)
        self.log(*summary.splitlines())
        self._log.close()


def entry(window: Window, *, timed: bool) -> dict[str, Any]:
    """One element of results.json, with the keys of the benchmark's runner."""
    laps = window.laps
    infer: dict[str, Any] = {
        "results": list(laps.results),
        "start_time": laps.start_us,
        "end_time": laps.end_us,
        "elapsed_time": window.elapsed_us,
        "total_inferences": 1,  # result vectors
        "iterations": window.iterations,
        "warmups": window.warmups,
    }
    sample = window.sample
    truth = {"file": sample.file, "classes": str(sample.classes), "class": str(sample.label)}
    streamed = {"bytes_to_send": None, "stride": None, "total_length": None}  # of anomaly detection only
    return truth | streamed | {"infer": infer | ({"throughput": window.per_second} if timed else {})}


def window_lines(number: int, window: Window) -> Iterator[str]:
    """What the log says of a window."""
    yield f"Performance results for window {number}:"
    yield f"  # Inferences : {window.iterations:>13}"
    yield f"  Runtime      : {window.elapsed_us / 1e6:>10.3f} sec."
    yield f"  Throughput   : {window.per_second:>10.3f} inf./sec."


def performance_text(found: Performance, clock: str) -> str:
    """results.txt of a performance pass; `clock` says whose seconds these are."""
    lines = [line for number, window in enumerate(found.windows, 1) for line in window_lines(number, window)]
    rules = "by the rules" if found.by_the_rules else f"not by the rules: windows of {found.window_s:g} s"
    lines += [f"Median throughput is {found.per_second:>10.3f} inf./sec.", f"Time: {clock}; {rules}"]
    return "\n".join(lines) + "\n"


def accuracy_text(found: Accuracy) -> str:
    """results.txt of an accuracy pass."""
    auc = "no sample of some class" if found.auc is None else f"{found.auc:.3f}"
    return f"Files: {len(found.windows)}\nTop-1: {100 * found.top1:.1f}%\nAUC: {auc}\n"


def _make(root: Path) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    for _ in range(_TRIES):
        path = root / time.strftime("%Y%m%d_%H%M%S")
        try:
            path.mkdir()
            return path
        except FileExistsError:
            time.sleep(0.1)
    raise StoreError(f"{root}: no free name for this session's folder")
