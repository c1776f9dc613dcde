"""What a flasher is, and how it runs the tool behind it."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from tinynas.errors import BoardError, FlashError, ToolError
from tinynas.lab.board import Board

LIMIT_S = 120.0
T = TypeVar("T")


@dataclass(frozen=True)
class Target:
    """Which of the attached boards is meant; where nothing is given, the only one that fits."""

    probe: str | None = None  # serial number of the debug probe; for pyOCD any of its ids, as remote:HOST:PORT
    port: str | None = None  # serial device
    volume: Path | None = None  # where the bootloader's drive is mounted
    limit_s: float = LIMIT_S  # for one run of the tool


class Flasher(Protocol):
    """Writes images to boards. Both calls raise ToolError where the tool is missing, FlashError where it fails."""

    def flash(self, image: Path, board: Board, target: Target) -> None:
        """Writes the ELF file `image`, checks that it arrived, and restarts the board."""

    def reset(self, board: Board, target: Target) -> None:
        """Restarts the board without writing anything."""


def described(board: Board, name: str, kind: type[T]) -> T:
    """The table [hardware.`name`] of the board's file.

    Raises:
        BoardError: there is none.
    """
    table = getattr(board.hardware, name, None)
    if not isinstance(table, kind):
        raise BoardError(f"{board.name}: its board file has no [hardware.{name}] table; flash it another way")
    return table


def program(name: str, package: str) -> list[str]:
    """The command that starts the program `name`.

    Raises:
        ToolError: not installed; `package` is the system's package that has it.
    """
    path = shutil.which(name)
    if path is None:
        raise ToolError(f"{name} is not installed; install it with: apt-get install {package}")
    return [path]


def module(name: str, extra: str) -> list[str]:
    """The command that starts the Python program `name`: this environment's, else the one on the PATH.

    Raises:
        ToolError: not installed; `extra` of this package brings it.
    """
    if importlib.util.find_spec(name) is not None:
        return [sys.executable, "-m", name]
    path = shutil.which(name)
    if path is None:
        raise ToolError(f"{name} is not installed; install it with: pip install 'tinynas[{extra}]'")
    return [path]


def run_tool(
    command: Sequence[str | Path],
    doing: str,
    target: Target,
    complaint: Callable[[str], str],
    hint: str,
    *,
    cwd: Path | None = None,
) -> str:
    """Runs `command` and returns what it printed.

    `doing` begins the message of an error, `complaint` finds the reason in what the tool printed (nothing: it was none,
    whatever the exit status), `hint` ends it.

    Raises:
        FlashError: it fails, or does not end within `target.limit_s` (and is killed).
    """
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=target.limit_s,
            check=False,
            cwd=cwd,
        )
    except subprocess.TimeoutExpired as error:
        raise FlashError(f"{doing}: not done within {target.limit_s:g} s; unplug the board and try again") from error
    said = done.stdout.decode("utf-8", "replace")
    if done.returncode and (reason := complaint(said)):
        raise FlashError(f"{doing}: {reason}; {hint}")
    return said


def first_line(*starts: str) -> Callable[[str], str]:
    """Finds the first line with one of `starts` in it; else the last that says anything."""

    def find(said: str) -> str:
        lines = [line.strip() for line in said.splitlines() if line.strip()]
        told = [line for line in lines if any(start in line for start in starts)]
        return (told or lines[-1:] or ["the tool said nothing"])[0]

    return find
