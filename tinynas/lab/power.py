"""Switches a board's power off and on: the way out when a board no longer reacts."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from typing import Annotated

from pydantic import BaseModel, Field, PositiveInt, model_validator

from tinynas.errors import ToolError

_LIMIT_S = 60.0


class Uhubctl(BaseModel, frozen=True, extra="forbid"):
    """A port of a USB hub that can switch each port's power, by https://github.com/mvp/uhubctl."""

    location: str  # of the hub, as `uhubctl` prints it: 1-1.4
    port: PositiveInt


class Power(BaseModel, frozen=True, extra="forbid"):
    """How to power-cycle a board: through a hub, or by a command of the user's."""

    uhubctl: Uhubctl | None = None
    command: str | None = None  # switches off and on again; run without a shell
    off_s: Annotated[float, Field(ge=0)] = 2.0  # for uhubctl: how long the power stays off

    @model_validator(mode="after")
    def _one_way(self) -> Power:
        if (self.uhubctl is None) == (self.command is None):
            raise ValueError("wanted either `uhubctl` (location, port) or `command`")
        return self

    def words(self) -> list[str]:
        """The command line."""
        if self.command is not None:
            return shlex.split(self.command)
        assert self.uhubctl is not None
        hub = ["-l", self.uhubctl.location, "-p", str(self.uhubctl.port)]
        return ["uhubctl", *hub, "-a", "cycle", "-d", f"{self.off_s:g}"]


def power_cycle(power: Power, limit_s: float = _LIMIT_S) -> None:
    """Takes the board's power away and gives it back; returns when the command has ended.

    Raises:
        ToolError: the command is missing, fails or does not end in time.
    """
    words = power.words()
    if shutil.which(words[0]) is None:
        raise ToolError(
            f"power-cycling needs {words[0]}, which is not installed; apt-get install uhubctl, or mend `power`"
        )
    try:
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=limit_s, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise ToolError(f"power-cycling: `{shlex.join(words)}` does not end within {limit_s:g} s") from error
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise ToolError(
            f"power-cycling: `{shlex.join(words)}` failed ({done.returncode}): {said[-1] if said else 'silent'}"
        )
