"""One process at a time per board: a lock that the operating system frees when its holder ends, however it ends.

A lock is an flock on a file in `lock_folder()`, which all users of the machine share. The file holds who has it; it is
never removed, as a file that was removed could be locked twice.
"""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import getpass
import json
import os
import re
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from tinynas.errors import BusyError, StoreError

_POLL_S = 0.1
_PROBE_S = 0.2  # `lock_holder` takes a free lock for a moment; nobody is refused for that
_INFO_BYTES = 4096


@dataclass(frozen=True)
class Holder:
    """Who has a lock."""

    name: str  # of the lock: a board's id, or its serial port
    pid: int
    user: str
    host: str
    purpose: str
    since: str  # UTC, ISO 8601

    def __str__(self) -> str:
        doing = f" for {self.purpose}" if self.purpose else ""
        return f"{self.user}@{self.host}, process {self.pid}{doing}, since {self.since}"


def lock_folder() -> Path:
    """$TINYNAS_LOCKS, else one folder for all users of this machine: boards are shared, caches are not."""
    chosen = os.environ.get("TINYNAS_LOCKS")
    return Path(chosen) if chosen else Path(tempfile.gettempdir()) / "tinynas-locks"


@contextmanager
def board_lock(name: str, purpose: str = "", *, wait_s: float = 0.0, folder: Path | None = None) -> Iterator[Holder]:
    """Holds the lock `name` (a board's id, or the real path of its port) while the block runs.

    `purpose` is shown to those who wait. The lock is freed when the block ends or the process dies; child processes
    started by `subprocess` do not inherit it. It is not re-entrant: a second call waits, in the same process too.

    Raises:
        BusyError: another has it, and still after `wait_s` seconds; says who.
        StoreError: the lock folder cannot be written.
    """
    file = open_shared(_path(name, folder or lock_folder()))
    try:
        _acquire(file, name, wait_s)
        holder = _myself(name, purpose)
        _write(file, json.dumps(asdict(holder)))
        try:
            yield holder
        finally:
            _write(file, "")
    finally:
        os.close(file)  # frees the lock


def lock_holder(name: str, folder: Path | None = None) -> Holder | None:
    """Who has the lock `name`; None if it is free."""
    path = _path(name, folder or lock_folder())
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unusable(path, error) from error
    try:
        return None if _try(file, fcntl.LOCK_SH) else _read(file, name)
    finally:
        os.close(file)


def _acquire(file: int, name: str, wait_s: float) -> None:
    start_s = time.monotonic()
    while not _try(file, fcntl.LOCK_EX):
        waited_s = time.monotonic() - start_s
        if waited_s >= max(wait_s, _PROBE_S):
            waited = f" (waited {wait_s:g} s)" if wait_s else ""
            raise BusyError(
                f"{name} is in use by {_read(file, name)}{waited}; wait for it, or take another board (tinynas lab who)"
            )
        time.sleep(min(_POLL_S, _PROBE_S / 4))


def _try(file: int, mode: int) -> bool:
    try:
        fcntl.flock(file, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def open_shared(path: Path) -> int:
    """A descriptor of the file at `path` in the lock folder, which every user may read and write; made if need be.

    Raises:
        StoreError: it cannot be made or opened.
    """
    folder = path.parent
    try:
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o1777)  # every user may lock, nobody may remove another's file
        try:
            return os.open(path, os.O_RDWR | os.O_NOFOLLOW)  # Linux refuses O_CREAT on another user's file here
        except FileNotFoundError:
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
            with contextlib.suppress(PermissionError):  # made by another user just now
                os.fchmod(file, 0o666)  # whatever the umask is
            return file
    except OSError as error:
        raise _unusable(path, error) from error


def _unusable(path: Path, error: OSError) -> StoreError:
    return StoreError(f"{path}: cannot lock: {error.strerror}; set TINYNAS_LOCKS to a folder that all users can write")


def _path(name: str, folder: Path) -> Path:
    """One file per name: what a file name cannot hold is written as %XX."""
    escaped = re.sub(r"[^\w.-]", lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), name, flags=re.A)
    return folder / f"{escaped}.lock"


def _myself(name: str, purpose: str) -> Holder:
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    return Holder(name, os.getpid(), getpass.getuser(), socket.gethostname(), purpose, now)


def _write(file: int, text: str) -> None:
    """Not atomic: a reader that comes in between says that somebody has it, but not who."""
    with contextlib.suppress(OSError):  # a full disk takes the name, not the lock
        os.ftruncate(file, 0)
        os.pwrite(file, text.encode(), 0)


def _read(file: int, name: str) -> Holder:
    try:
        return Holder(**json.loads(os.pread(file, _INFO_BYTES, 0)))
    except (ValueError, TypeError):
        return Holder(name, 0, "unknown", socket.gethostname(), "", "just now")
