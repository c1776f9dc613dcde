"""Shared fixtures: builds are cached per checkout, so that engine archives are compiled once per test run."""

from __future__ import annotations

import os
from pathlib import Path

os.environ.setdefault("TINYNAS_CACHE", str(Path(__file__).parent.parent / "build" / "test-cache"))
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
