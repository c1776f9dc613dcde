"""Shared fixtures: builds are cached per checkout, so that engine archives are compiled once per test run."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from hypothesis import settings

os.environ.setdefault("TINYNAS_CACHE", str(Path(__file__).parent.parent / "build" / "test-cache"))
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# started in the background by a script, pytest ignores Ctrl-C, and so would the commands that tests start and interrupt
signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("tinynas", deadline=None)  # first calls import heavy libraries; CI machines are shared
settings.load_profile("tinynas")
