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
    """The way to a board failed. Its subclasses say how, so that a lab can tell its own trouble from a model's.

    `infrastructure` is False where the model on the board is to blame: retrying elsewhere would give the same.
    """

    infrastructure = True


class NoAnswerError(LinkError):
    """The board says nothing, or stops in the middle of an answer, within the time limit."""


class GarbledError(LinkError):
    """What arrives is not the protocol's, or a checksum does not fit: noise, a wrong baud rate, lost bytes."""


class RebootedError(LinkError):
    """The board restarted (or the emulator that is the board ended) while it should have answered."""


class PortLostError(LinkError):
    """The port cannot be opened, or was unplugged while in use."""


class BusyError(LinkError):
    """Another process uses the board, or has reserved it."""


class UnsteadyError(LinkError):
    """Repeats of one inference differ too much, or the board's clock is wrong: no figure to report."""


class FlashError(LinkError):
    """An image could not be written: no such board, a missing right, or what is read back differs."""


class FirmwareError(LinkError):
    """Something else than our runner answers: another firmware, another model, or a runner of another version."""


class RefusedError(LinkError):
    """The runner answered `e-[code: ...]`; `code` as in firmware/runner/PROTOCOL.md."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code

    def __reduce__(self) -> tuple[type[RefusedError], tuple[str, str]]:
        return type(self), (str(self), self.code)


class ModelFaultError(RefusedError):
    """The model failed on the board: an error status, a processor fault, an overrun arena or stack."""

    infrastructure = False


class StoreError(TinyNasError):
    """The measurement store or a run folder cannot be read or written."""
