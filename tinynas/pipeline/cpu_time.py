"""CPU time of this process and of all that it started, whether still at work or gone."""

from __future__ import annotations

import os
from pathlib import Path

_PROC = Path("/proc")
_TRIES = 5


def cpu_seconds() -> float | None:
    """User and system time since this process began, in seconds: its own, its living descendants', and that of
    descendants that have ended and were waited for. Only differences between two calls are of use.

    joblib's and the farm's workers live longer than a stage, so `resource.getrusage(RUSAGE_CHILDREN)`, which counts
    children that have ended, would give their time to the wrong stage or to none. None where there is no /proc.
    """
    if not (_PROC / "self" / "stat").exists():
        return None
    for _ in range(_TRIES):
        before = _descendants()
        ticks = sum(before.values())
        if _descendants().keys() == before.keys():  # else one may have ended half way, and be counted twice or never
            break
    return ticks / os.sysconf("SC_CLK_TCK")


def _descendants() -> dict[int, int]:
    """This process and those below it, by id: clock ticks of each, with those of its children that ended."""
    parents: dict[int, int] = {}
    ticks: dict[int, int] = {}
    for pid in _all():
        try:
            text = (_PROC / str(pid) / "stat").read_bytes()
        except OSError:  # it has just ended
            continue
        fields = text.rpartition(b")")[2].split()  # the program's name, in brackets, may hold anything
        parents[pid], ticks[pid] = int(fields[1]), sum(map(int, fields[11:15]))
    return {pid: ticks[pid] for pid in ticks if _is_below(pid, os.getpid(), parents)}


def _all() -> list[int]:
    with os.scandir(_PROC) as entries:  # several times as fast as Path.iterdir
        return [int(entry.name) for entry in entries if entry.name.isdigit()]


def _is_below(pid: int, top: int, parents: dict[int, int]) -> bool:
    for _ in range(len(parents)):  # ids are used again, so a table read in steps might hold a ring
        if pid == top:
            return True
        if pid not in parents:
            return False
        pid = parents[pid]
    return False
