"""One attempt at a case: what was measured, or what went wrong, and whose fault it was."""

from __future__ import annotations

import enum
from pathlib import Path

from pydantic import BaseModel


class Status(enum.StrEnum):
    """How an attempt, or a case, ended."""

    PASSED = "passed"
    FAILED = "failed"  # the model: it does not build or fit, is not bit-exact, or got worse than its baseline
    ERROR = "error"  # the lab: no answer, a lost port, a failing tool; says nothing of the model
    SKIPPED = "skipped"  # no board for it
    QUARANTINED = "quarantined"  # known to be bad: not run


class Metrics(BaseModel, frozen=True, extra="forbid"):
    """What a regression run compares."""

    latency_us: float
    instructions: int | None  # virtual boards
    peak_sram_bytes: int  # arena, statics, stack high-water mark of the inference
    flash_bytes: int | None  # None on the host
    output_sha256: str  # of the seeded inference's outputs
    bit_exact: bool  # they equal TFLite Micro's
    accuracy: float | None = None  # fraction of 1; None: no images were asked for
    images: int = 0
    images_identical: int = 0  # whose outputs equal TFLite Micro's


class Attempt(BaseModel, frozen=True, extra="forbid"):
    """One attempt at a case, as it is kept in the run's folder."""

    case: str  # Case.id
    number: int  # from 1
    entry: str | None  # the board's id; None where no board was needed to fail
    status: Status
    message: str = ""  # of a failure or error, one line
    metrics: Metrics | None = None
    flashed: bool = False  # False: the image was on the board already
    seconds: float = 0.0
    folder: Path  # serial.log and log.txt of this attempt, seen from the run's folder
