"""Keeping freed memory saves page faults."""

from __future__ import annotations

import subprocess
import sys

import pytest

_SCRIPT = """
import resource, sys
import torch
from tinynas.train.allocator import keep_freed_memory
torch.set_num_threads(1)
if sys.argv[1] == "keep":
    keep_freed_memory()
x = torch.rand(1_000_000)
for _ in range(50):
    a = x + 1; b = a * 2; c = b.relu(); del a, b, c
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="mallopt is glibc's")
def test_fewer_page_faults() -> None:
    faults = {
        mode: int(subprocess.run([sys.executable, "-c", _SCRIPT, mode], capture_output=True, check=True).stdout)
        for mode in ("plain", "keep")
    }
    assert faults["keep"] <= faults["plain"]
