"""Child processes that do not outlive us."""

from __future__ import annotations

import shutil
import subprocess
from typing import IO


def start(
    command: list[str], stdin: int, stderr: IO[bytes] | int, stdout: int = subprocess.DEVNULL
) -> subprocess.Popen[bytes]:
    """Starts `command`; on Linux the kernel kills it when the thread that called this ends, even by kill -9.

    Elsewhere (no util-linux) only `stop` ends it.
    """
    setpriv = shutil.which("setpriv")  # not preexec_fn, which may deadlock where there are threads
    return subprocess.Popen(
        [setpriv, "--pdeathsig", "KILL", "--", *command] if setpriv else command,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        start_new_session=True,  # the user's Ctrl-C is ours to handle
    )


def stop(process: subprocess.Popen[bytes]) -> None:
    """Kills `process` if it still runs, and reaps it."""
    process.kill()
    process.wait(timeout=10)
