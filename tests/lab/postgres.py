"""A real PostgreSQL server for a test: its own data folder, a socket and a port of its own, gone afterwards."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

_ACCOUNT = "nobody"  # PostgreSQL refuses to run as root


def find_binaries() -> Path:
    """The folder of `initdb` and `pg_ctl`; skips the test where there is none."""
    pytest.importorskip("psycopg", reason="the extra [postgres] is not installed")
    on_path = shutil.which("initdb")
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: path.parent.name)
    found = [Path(on_path).parent] if on_path else [path for path in folders if (path / "initdb").is_file()]
    if not found:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        pytest.skip("PostgreSQL does not run as root, and setpriv (util-linux) is not here")
    return found[-1]


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """Starts a server and yields the URL of an empty database in it."""
    binaries = find_binaries()
    with tempfile.TemporaryDirectory(prefix="tinynas-pg-", dir="/tmp") as name:
        folder = Path(name)
        if os.geteuid() == 0:
            os.chown(folder, pwd.getpwnam(_ACCOUNT).pw_uid, -1)
        port = _free_port()
        quick = f"-c fsync=off -c unix_socket_directories={folder} -c listen_addresses=127.0.0.1 -c port={port}"
        _run(folder, binaries / "initdb", "-D", folder / "data", "-U", "lab", "--auth=trust", "--no-sync", "-E", "UTF8")
        _run(folder, binaries / "pg_ctl", "-D", folder / "data", "-l", folder / "log", "-w", "-o", quick, "start")
        try:
            yield f"postgresql://lab:secret@127.0.0.1:{port}/postgres"
        finally:
            _run(folder, binaries / "pg_ctl", "-D", folder / "data", "-m", "immediate", "-w", "stop")


def _run(folder: Path, *command: str | Path) -> None:
    account = pwd.getpwnam(_ACCOUNT)
    become = ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups", "--"]
    words = [*(become if os.geteuid() == 0 else []), *map(str, command)]
    done = subprocess.run(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, check=False,
        cwd=folder, env=os.environ | {"HOME": str(folder), "LC_ALL": "C"},
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)} failed ({done.returncode}): {done.stdout.decode('utf-8', 'replace')}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
