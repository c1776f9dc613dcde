"""Boards on other machines, as labgrid's places (https://labgrid.readthedocs.io): found, acquired and released.

labgrid is driven through its own `labgrid-client`, which may live in an environment of its own: it brings its own
files of pyserial. `$LG_COORDINATOR` says where the coordinator is, as for all of labgrid's programs.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from tinynas.errors import BusyError, ConfigError, PortLostError, ToolError

_LIMIT_S = 120.0
_POLL_S = 2.0
_OURS = "You have already acquired"  # left over from a process of ours that died: its board lock is free
_THEIRS = ("already acquired by", "reserved for")


@contextmanager
def acquired(
    place: str, *, wait_s: float = 0.0, on_wait: Callable[[str], None] = lambda reason: None
) -> Iterator[None]:
    """The place is ours while the block runs. The board's own lock must be held: labgrid tells users apart, not jobs.

    Raises:
        BusyError: another user has it, and still after `wait_s`.
        ConfigError: there is no such place.
        ToolError: no labgrid-client, or no coordinator.
    """
    deadline_s, told = time.monotonic() + wait_s, False
    while (refusal := _acquire(place)) is not None:
        if time.monotonic() >= deadline_s:
            raise BusyError(
                f"labgrid place {place}: {refusal} (waited {wait_s:g} s); wait longer, or take another board"
            )
        if not told:
            on_wait(f"labgrid place {place}: {refusal}")
            told = True
        time.sleep(min(_POLL_S, max(0.0, deadline_s - time.monotonic())))
    try:
        yield
    finally:
        with contextlib.suppress(ToolError, ConfigError):  # the coordinator is gone: the place with it
            _client(place, "release")


def place_holder(place: str) -> str | None:
    """Who has the place (host/user, in labgrid's words); None if nobody has.

    Raises:
        ConfigError: there is no such place.
        ToolError: no labgrid-client, or no coordinator.
    """
    found = re.search(r"^\s*acquired: (\S+)$", _client(place, "show"), re.MULTILINE)
    return None if found is None or found[1] == "None" else found[1]


def serial_url(place: str) -> str:
    """Where the serial line of an acquired place is: socket://host:port, or rfc2217://host:port.

    Raises:
        PortLostError: the place has no serial port now; its exporter may be down.
    """
    text = _client(place, "env")
    try:
        targets = YAML(typ="safe").load(text)["targets"]
        resources = next(iter(targets.values()))["resources"]
    except (YAMLError, KeyError, TypeError, StopIteration) as error:
        raise ToolError(f"labgrid-client env said {text!r}; wanted a target with resources") from error
    for resource in resources or []:
        if "NetworkSerialPort" in resource:
            return _url(resource["NetworkSerialPort"])
    raise PortLostError(
        f"labgrid place {place} has no serial port now; is its exporter running, and the board attached?"
    )


def _url(port: dict[str, Any]) -> str:
    scheme = "rfc2217" if port.get("protocol") == "rfc2217" else "socket"
    return f"{scheme}://{port['host']}:{port['port']}"


def _acquire(place: str) -> str | None:
    """None if it is ours now, else who has it."""
    try:
        _client(place, "acquire")
    except ToolError as error:
        if _OURS in str(error):
            return None
        if any(sign in str(error) for sign in _THEIRS):
            return str(error)
        raise
    return None


def _client(place: str, command: str) -> str:
    program = os.environ.get("LABGRID_CLIENT") or shutil.which("labgrid-client")
    if program is None:
        raise ToolError(
            f"labgrid place {place}: labgrid-client is not installed; pip install labgrid, in an environment of its "
            "own, and put it on the PATH or into $LABGRID_CLIENT"
        )
    words = [program, "-p", place, command]
    try:
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_LIMIT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise ToolError(
            f"`{' '.join(words)}` does not answer within {_LIMIT_S:g} s; is the coordinator well?"
        ) from error
    except OSError as error:
        raise ToolError(f"{program}: {error.strerror}; mend $LABGRID_CLIENT") from error
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()[-1]
        if "matches nothing" in said:
            raise ConfigError(f"labgrid has no place {place}; make it: labgrid-client -p {place} create")
        raise ToolError(f"labgrid-client {command} {place}: {said.removeprefix('labgrid-client: Error: ')}")
    return done.stdout
