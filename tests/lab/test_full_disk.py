"""A disk that fills up under the measurement store: one error that says so, and what was stored before stays whole."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.lab.test_store import KEY, measurement
from tinynas.lab.store import MeasurementStore

_SCRIPT = """\
import resource, sys
from dataclasses import replace
from tests.lab.test_store import KEY, measurement
from tinynas.errors import StoreError
from tinynas.lab.store import MeasurementStore
store, limit_bytes = MeasurementStore(sys.argv[1]), int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))
try:
    for done in range(1000):
        store.put(replace(KEY, model_sha256=str(done)), measurement(done))
except StoreError as error:
    print(done, error, sep="\\n")
"""


@pytest.mark.parametrize("limit_bytes", [30_000, 150_000])
def test_what_was_stored_before_is_whole(tmp_path: Path, limit_bytes: int) -> None:
    """The limit on the size of a file stands for the disk."""
    path = tmp_path / "measurements.db"
    command = [sys.executable, "-c", _SCRIPT, str(path), str(limit_bytes)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    done, message = ran.stdout.splitlines()
    assert str(path) in message
    assert "with space left?" in message
    store = MeasurementStore(path)
    kept = [store.get(replace(KEY, model_sha256=str(k))) for k in range(int(done) + 1)]
    assert kept[:-1] == [measurement(k) for k in range(int(done))]
    assert kept[-1] in (None, measurement(int(done)))
