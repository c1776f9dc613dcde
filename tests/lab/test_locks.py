"""Locks are tried between real processes, one of which is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tinynas.errors import BusyError, StoreError
from tinynas.lab.locks import board_lock, lock_folder, lock_holder

_HOLD = """
import sys
from pathlib import Path
from tinynas.lab.locks import board_lock
with board_lock(sys.argv[1], "a long test", folder=Path(sys.argv[2])):
    print("held", flush=True)
    sys.stdin.read()
"""


def hold(name: str, folder: Path) -> subprocess.Popen[str]:
    """Another process that has the lock `name` until its stdin is closed or it is killed."""
    command = [sys.executable, "-c", _HOLD, name, str(folder)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


@pytest.mark.parametrize("name", ["f401-a", "/dev/serial/by-id/usb-ST 0001", "büro%1"])
def test_who_is_refused_learns_who_has_it(name: str, tmp_path: Path) -> None:
    other = hold(name, tmp_path)
    with pytest.raises(BusyError, match=f"process {other.pid} for a long test"), board_lock(name, folder=tmp_path):
        pass
    holder = lock_holder(name, tmp_path)
    assert holder is not None
    assert (holder.name, holder.pid) == (name, other.pid)
    other.communicate()
    with board_lock(name, folder=tmp_path) as mine:
        assert mine.pid == os.getpid()
    assert lock_holder(name, tmp_path) is None


def test_a_killed_process_frees_its_lock(tmp_path: Path) -> None:
    other = hold("b", tmp_path)
    other.send_signal(signal.SIGKILL)
    other.wait()
    assert lock_holder("b", tmp_path) is None
    with board_lock("b", folder=tmp_path):
        pass


def test_waiting_ends_when_the_holder_is_done(tmp_path: Path) -> None:
    other = hold("b", tmp_path)
    threading.Timer(0.3, other.communicate).start()
    with board_lock("b", wait_s=30, folder=tmp_path):
        assert other.wait() == 0


def test_waiting_ends_at_its_limit(tmp_path: Path) -> None:
    with (
        board_lock("b", folder=tmp_path),
        pytest.raises(BusyError, match=r"waited 0\.3 s"),  # in the same process too
        board_lock("b", wait_s=0.3, folder=tmp_path),
    ):
        pass


def test_a_program_started_meanwhile_does_not_keep_the_lock(tmp_path: Path) -> None:
    with board_lock("b", folder=tmp_path):
        child = subprocess.Popen(["sleep", "60"])
    try:
        assert lock_holder("b", tmp_path) is None
    finally:
        child.kill()
        child.wait()


def test_asking_who_has_it_refuses_nobody(tmp_path: Path) -> None:
    """Asking takes the lock for a moment."""
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            lock_holder("b", tmp_path)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        for _ in range(50):
            with board_lock("b", folder=tmp_path):
                pass
    finally:
        stop.set()
        thread.join()


def test_the_folder_serves_all_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYNAS_LOCKS", str(tmp_path / "locks"))
    with board_lock("b"):
        pass
    assert lock_folder().stat().st_mode & 0o7777 == 0o1777
    assert (lock_folder() / "b.lock").stat().st_mode & 0o777 == 0o666


def test_an_unusable_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=str(tmp_path / "file")), board_lock("b", folder=tmp_path / "file"):
        pass


def test_a_link_in_place_of_a_lock_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "b.lock").symlink_to(tmp_path / "precious")
    (tmp_path / "precious").write_text("kept")
    with pytest.raises(StoreError), board_lock("b", folder=tmp_path):
        pass
    assert (tmp_path / "precious").read_text() == "kept"
