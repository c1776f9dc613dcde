"""Reservations: a board kept for one user or job for a while, first come, first served.

A reservation is a token, and a file of its owner's in the lock folder, where all users of the machine see it. It ends
when it is released or not refreshed in time, so nobody keeps a board by crashing. `use_board` is how any job takes a
board: the lock, and nobody else's reservation in the way.
"""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import secrets
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from tinynas.errors import BusyError, ConfigError, StoreError
from tinynas.lab.hwmap import BoardEntry
from tinynas.lab.locks import Holder, board_lock, lock_folder, lock_holder

_POLL_S = 0.5
_WAITING_S = 30.0  # who waits for a board and is not heard of for so long has given up
_GUARD = ".reservations"  # a lock: one reads and changes them at a time


@dataclass(frozen=True)
class Reservation:
    """A board kept, or waited for (`board` is None)."""

    token: str
    user: str
    purpose: str
    candidates: tuple[str, ...]  # ids of boards that would do
    board: str | None
    lasts_s: float  # from the last refresh
    asked: float  # seconds since 1970: the queue's order
    expires: float  # seconds since 1970

    def __str__(self) -> str:
        doing = f" for {self.purpose}" if self.purpose else ""
        left_s = max(0.0, self.expires - time.time())
        what = f"reserved by {self.user}" if self.board else f"{self.user} waits"
        return f"{what}{doing}, {left_s / 60:.0f} min left"


def reserve(
    entries: Sequence[BoardEntry],
    *,
    purpose: str = "",
    lasts_s: float = 1800.0,
    wait_s: float = 0.0,
    on_wait: Callable[[str], None] = lambda reason: None,
    folder: Path | None = None,
) -> Reservation:
    """Reserves the first of `entries` that is free; waits for one up to `wait_s`. `on_wait` is told why it waits.

    Raises:
        ConfigError: `entries` is empty.
        BusyError: all are reserved or in use, and still after `wait_s`.
    """
    if not entries:
        raise ConfigError("no board of the hardware map fits what is to be reserved; see: tinynas lab who")
    ids = tuple(entry.id for entry in entries)
    where = folder or lock_folder()
    mine = Reservation(secrets.token_hex(8), _user(), purpose, ids, None, lasts_s, time.time(), 0.0)
    deadline_s, told = time.monotonic() + wait_s, False
    try:
        while (given := _ask(mine, where)).board is None:
            reason = _reason(ids, where)
            if time.monotonic() >= deadline_s:
                raise BusyError(f"no board is free: {reason}; wait longer (--wait)")
            if not told:
                on_wait(reason)
                told = True
            time.sleep(min(_POLL_S, max(0.0, deadline_s - time.monotonic())))
    except BaseException:  # given up, or the user's Ctrl-C: leave the queue
        _path(mine.token, where).unlink(missing_ok=True)
        raise
    return given


def refresh(token: str, folder: Path | None = None) -> Reservation:
    """Keeps the reservation for its whole time from now on.

    Raises:
        ConfigError: it is not there any more.
    """
    where = folder or lock_folder()
    with _guarded(where) as found:
        old = _find(found, token)
        return _save(replace(old, expires=time.time() + old.lasts_s), where)


def release(token: str, folder: Path | None = None) -> Reservation:
    """Ends the reservation.

    Raises:
        ConfigError: it is not there any more.
        StoreError: it is another user's.
    """
    where = folder or lock_folder()
    with _guarded(where) as found:
        old = _find(found, token)
        try:
            _path(token, where).unlink()
        except OSError as error:
            raise StoreError(f"{_path(token, where)}: {error.strerror}; only {old.user} can release it") from error
        return old


def reservations(folder: Path | None = None) -> list[Reservation]:
    """All that have not expired, in the order in which they were asked for."""
    with _guarded(folder or lock_folder()) as found:
        return found


@contextmanager
def use_board(
    board_id: str,
    purpose: str = "",
    *,
    wait_s: float = 0.0,
    token: str | None = None,
    on_wait: Callable[[str], None] = lambda reason: None,
    folder: Path | None = None,
) -> Iterator[Holder]:
    """The lock of a board, once no other's reservation is in the way. `token`: of one's own reservation.

    `on_wait` is told once, if it has to wait, who is in the way.

    Raises:
        BusyError: another uses or has reserved it, and still after `wait_s`; says who.
    """
    where = folder or lock_folder()
    with contextlib.ExitStack() as stack:
        yield _wait_for(lambda: _lock_unreserved(stack, board_id, purpose, token, where), wait_s, on_wait)


def _wait_for(attempt: Callable[[], Holder], wait_s: float, on_wait: Callable[[str], None]) -> Holder:
    deadline_s, told = time.monotonic() + wait_s, False
    while True:
        try:
            return attempt()
        except BusyError as error:
            if time.monotonic() >= deadline_s:
                raise BusyError(f"{error} (waited {wait_s:g} s)") from None
            if not told:
                on_wait(str(error))
                told = True
        time.sleep(min(_POLL_S, max(0.0, deadline_s - time.monotonic())))


def _lock_unreserved(
    stack: contextlib.ExitStack, board_id: str, purpose: str, token: str | None, folder: Path
) -> Holder:
    with _guarded(folder) as found:  # until the lock is ours: nobody reserves it in between
        for other in found:
            if other.board == board_id and other.token != token:
                raise BusyError(f"{board_id} is {other}; wait for it, or take another board (tinynas lab who)")
        return stack.enter_context(board_lock(board_id, purpose, folder=folder))


def _ask(mine: Reservation, folder: Path) -> Reservation:
    """Queues up, or stays in the queue; with a board if one is free and nobody before us wants it."""
    with _guarded(folder) as found:
        others = [other for other in found if other.token != mine.token]
        taken = {other.board for other in others}
        for other in others:
            if other.board is None and other.asked < mine.asked:
                taken.update(other.candidates)
        free = [i for i in mine.candidates if i not in taken and lock_holder(i, folder) is None]
        lasts_s = mine.lasts_s if free else _WAITING_S
        return _save(replace(mine, board=free[0] if free else None, expires=time.time() + lasts_s), folder)


def _reason(ids: Sequence[str], folder: Path) -> str:
    by_board = {other.board: str(other) for other in reservations(folder) if other.board}
    holders = {board_id: lock_holder(board_id, folder) for board_id in ids}
    states = (f"{i} is {by_board.get(i) or f'in use by {holders[i]}'}" for i in ids if i in by_board or holders[i])
    return ", ".join(states) or "others wait in front"


def _find(found: Sequence[Reservation], token: str) -> Reservation:
    for reservation in found:
        if reservation.token == token:
            return reservation
    raise ConfigError(f"no reservation {token}: it was released, or has expired; reserve again: tinynas lab reserve")


@contextmanager
def _guarded(folder: Path) -> Iterator[list[Reservation]]:
    """The reservations that have not expired; they stay as they are while the block runs, but for its own changes."""
    with board_lock(_GUARD, folder=folder, wait_s=_WAITING_S):
        found = [reservation for path in folder.glob("*.reservation") if (reservation := _read(path)) is not None]
        yield sorted(found, key=lambda reservation: (reservation.asked, reservation.token))


def _read(path: Path) -> Reservation | None:
    """None if it has expired, or was never whole."""
    try:
        row = json.loads(path.read_text())
        found = Reservation(**{**row, "candidates": tuple(row["candidates"])})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError):
        found = None
    if found is not None and found.expires > time.time():
        return found
    with contextlib.suppress(OSError):  # another user's stays until that user, or the system, removes it
        path.unlink()
    return None


def _save(reservation: Reservation, folder: Path) -> Reservation:
    path = _path(reservation.token, folder)
    try:
        handle, partial = tempfile.mkstemp(dir=folder, prefix=".new-")
        with os.fdopen(handle, "w") as file:
            json.dump(asdict(reservation), file)
        Path(partial).chmod(0o644)
        Path(partial).replace(path)
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {error.strerror}; only its owner can refresh it") from error
    return reservation


def _path(token: str, folder: Path) -> Path:
    return folder / f"{token}.reservation"


def _user() -> str:
    return f"{getpass.getuser()}@{socket.gethostname()}"
