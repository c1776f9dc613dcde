from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

WORK = """
import os, sys, time
from joblib import Parallel, delayed
from tinynas.worker import end_with_parent

def work(path, early):
    if early: end_with_parent()
    with open(f"{path}/{os.getpid()}", "w"): pass
    time.sleep(1)
    end_with_parent()
    time.sleep(60)

if __name__ == "__main__":
    Parallel(n_jobs=2)(delayed(work)(sys.argv[1], sys.argv[2] == "early") for _ in range(2))
"""


def alive(pid: int) -> bool:
    """Whether the process exists and is no zombie that nobody has waited for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks into /proc")
@pytest.mark.parametrize("when", ["early", "late"])
def test_workers_end_with_a_killed_parent(tmp_path: Path, when: str) -> None:
    """Also with one that was killed before its workers came to look at it, late."""
    script, started = tmp_path / "work.py", tmp_path / "started"
    script.write_text(WORK)
    started.mkdir()
    parent = subprocess.Popen([sys.executable, str(script), str(started), when])
    deadline_s = time.monotonic() + 60
    while len(list(started.iterdir())) < 2 and time.monotonic() < deadline_s:
        time.sleep(0.05)
    workers = [int(path.name) for path in started.iterdir()]
    assert len(workers) == 2
    parent.kill()
    parent.wait()
    while any(map(alive, workers)) and time.monotonic() < deadline_s:
        time.sleep(0.05)
    assert not any(map(alive, workers))
