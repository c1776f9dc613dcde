"""Hashes of settings, and independent random streams out of the experiment's one seed."""

from __future__ import annotations

import hashlib
import json
from typing import Any

DIGEST_CHARS = 16  # 64 bits: enough to tell a lab's stage outputs apart, short enough for a folder name


def digest(value: Any) -> str:
    """Hash of a JSON value; equal for equal values whatever the order of keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:DIGEST_CHARS]


def derive_seed(seed: int, *labels: str | int) -> int:
    """A seed in [0, 2**31) for one purpose; other labels give an unrelated one."""
    return int(digest([seed, *labels]), 16) % 2**31
