"""The errors a user can mend. The CLI prints one as a single line and exits with status 2.

A message says what failed, on which input, what was wanted against what was found, and the next step.
Anything that is not a `TinyNasError` is a bug of ours and keeps its traceback.
"""

from __future__ import annotations


class TinyNasError(Exception):
    """Base of every error that a user can mend."""


class ConfigError(TinyNasError):
    """An experiment, dataset or space file is missing, malformed or contradicts itself."""


class BoardError(TinyNasError):
    """A board file is unknown or malformed, or the board cannot do what was asked."""


class DataError(TinyNasError):
    """Images or labels are missing, unreadable or inconsistent."""


class ModelError(TinyNasError):
    """A model file is truncated, of the wrong kind, or uses an op that is not supported."""


class FitError(TinyNasError):
    """A model does not fit a board; `overflow_bytes` says by how much (largest overflow)."""

    def __init__(self, message: str, overflow_bytes: int) -> None:
        super().__init__(message)
        self.overflow_bytes = overflow_bytes

    def __reduce__(self) -> tuple[type[FitError], tuple[str, int]]:
        return FitError, (str(self), self.overflow_bytes)  # worker processes pickle it; `args` holds the message only


class InfeasibleError(TinyNasError):
    """No network of the space meets the budget; the message says how close the nearest came."""


class ToolError(TinyNasError):
    """A compiler, emulator or interpreter is missing or failed."""


class LinkError(TinyNasError):
    """The board is silent, garbled, rebooting, or answered with an error."""


class StoreError(TinyNasError):
    """The measurement store or a run folder cannot be read or written."""
