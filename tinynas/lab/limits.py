"""How long to wait for a board before its silence is an error."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Seconds; generous, as a slow machine must not look like a broken board."""

    command_s: float = 20.0
    inference_s: float = 120.0  # of one inference: 10 times what the largest reference model takes on QEMU
    replug_s: float = 5.0  # for a port to come back in the middle of an upload
    synchronise_s: float = 5.0


GENEROUS = Limits()
