"""CPU time of a tree of processes, against what each of them says of itself."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tinynas.pipeline.cpu_time import cpu_seconds

pytestmark = pytest.mark.skipif(cpu_seconds() is None, reason="no /proc here")

BURN = "import time\nwhile time.process_time() < 0.3: pass\nprint(time.process_time(), flush=True)\n"
WAIT = "import sys\nsys.stdin.read()\n"
CHILD = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {BURN!r}])\n"
TICK_S = 0.03  # of the system's clock, a few times


def now() -> float:
    found = cpu_seconds()
    assert found is not None
    return found


@contextmanager
def started(code: str) -> Iterator[tuple[subprocess.Popen[str], float]]:
    """A process that has burned time, which it tells, and now waits for its stdin's end."""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield process, float(process.stdout.readline())


def test_its_own_time_counts() -> None:
    before, own_s = now(), time.process_time()
    while time.process_time() < own_s + 0.2:
        pass
    assert now() - before == pytest.approx(time.process_time() - own_s, abs=TICK_S)


@pytest.mark.parametrize("code", [BURN, CHILD], ids=["child", "grandchild"])
def test_others_count_once_while_they_live_and_after(code: str) -> None:
    before, own_s = now(), time.process_time()
    with started(code + WAIT) as (process, burned_s):
        own_so_far_s = time.process_time() - own_s
        alive = now() - before - own_so_far_s
        process.communicate()
    gone = now() - before - (time.process_time() - own_s)
    assert burned_s - TICK_S <= alive < 2 * burned_s
    assert alive - TICK_S <= gone < 2 * burned_s


def test_what_an_unrelated_process_does_is_not_ours() -> None:
    """A grandchild whose parent has ended belongs to nobody here."""
    orphan = f"import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', {BURN + WAIT!r}])\n"
    before, own_s = now(), time.process_time()
    with started(orphan) as (process, burned_s):
        process.wait()
        assert now() - before - (time.process_time() - own_s) < burned_s
        process.communicate()
