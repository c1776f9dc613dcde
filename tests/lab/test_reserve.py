from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tinynas.errors import BusyError, ConfigError
from tinynas.lab.hwmap import BoardEntry
from tinynas.lab.locks import board_lock
from tinynas.lab.reserve import refresh, release, reservations, reserve, use_board

A, B = BoardEntry(id="a", board="host"), BoardEntry(id="b", board="host")


def test_a_reserved_board_is_used_with_its_token_only(tmp_path: Path) -> None:
    mine = reserve([A], purpose="lens", folder=tmp_path)
    assert mine.board == "a"
    with pytest.raises(BusyError, match=r"a is reserved by .* for lens"), use_board("a", folder=tmp_path):
        pass
    with pytest.raises(BusyError), use_board("a", token="00", folder=tmp_path):
        pass
    with use_board("a", token=mine.token, folder=tmp_path), use_board("b", folder=tmp_path):
        pass
    release(mine.token, tmp_path)
    with use_board("a", folder=tmp_path):
        pass


def test_the_first_free_board_is_given_and_then_the_next(tmp_path: Path) -> None:
    with board_lock("a", folder=tmp_path):
        assert reserve([A, B], folder=tmp_path).board == "b"
    assert reserve([A, B], folder=tmp_path).board == "a"
    with pytest.raises(BusyError, match=r"a is reserved.*b is reserved"):
        reserve([A, B], folder=tmp_path)
    assert len(reservations(tmp_path)) == 2, "who was refused is not left in the queue"


def test_a_reservation_ends_by_itself_unless_it_is_refreshed(tmp_path: Path) -> None:
    mine = reserve([A], lasts_s=0.6, folder=tmp_path)
    time.sleep(0.4)
    assert refresh(mine.token, tmp_path).expires > mine.expires
    time.sleep(0.4)
    assert reservations(tmp_path), "it has been refreshed"
    time.sleep(0.4)
    assert reservations(tmp_path) == []
    for call in (refresh, release):
        with pytest.raises(ConfigError, match="has expired"):
            call(mine.token, tmp_path)


def test_waiting_ends_when_the_board_is_released_and_says_why_it_waited(tmp_path: Path) -> None:
    first = reserve([A], purpose="first", folder=tmp_path)
    told: list[str] = []
    threading.Timer(0.3, release, [first.token, tmp_path]).start()
    second = reserve([A], wait_s=30, on_wait=told.append, folder=tmp_path)
    assert second.board == "a"
    assert len(told) == 1
    assert "for first" in told[0]


def test_who_asked_first_is_served_first(tmp_path: Path) -> None:
    """The queue holds while the board is free for a moment: nobody overtakes who is waiting."""
    holder = reserve([A], folder=tmp_path)
    order: list[str] = []

    def wait(name: str) -> None:
        found = reserve([A], purpose=name, wait_s=30, folder=tmp_path)
        order.append(name)
        release(found.token, tmp_path)

    threads = [threading.Thread(target=wait, args=(name,)) for name in ("one", "two", "three")]
    for thread in threads:
        thread.start()
        while len(reservations(tmp_path)) < 2 + threads.index(thread):
            time.sleep(0.01)
    release(holder.token, tmp_path)
    for thread in threads:
        thread.join()
    assert order == ["one", "two", "three"]


def test_who_died_while_waiting_blocks_nobody_for_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    holder = reserve([A], folder=tmp_path)
    code = (
        "import sys; from pathlib import Path; from tinynas.lab import reserve as r\n"
        "from tinynas.lab.hwmap import BoardEntry\nr._WAITING_S = 1.0\n"
        "r.reserve([BoardEntry(id='a', board='host')], wait_s=60, on_wait=lambda w: print(w, flush=True),"
        " folder=Path(sys.argv[1]))"
    )
    dying = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE)
    assert dying.stdout is not None
    dying.stdout.readline()
    dying.kill()
    dying.wait()
    release(holder.token, tmp_path)
    assert reserve([A], wait_s=30, folder=tmp_path).board == "a"


def test_a_file_of_a_crashed_writer_is_no_reservation(tmp_path: Path) -> None:
    reserve([A], folder=tmp_path)
    (tmp_path / "ff.reservation").write_text('{"token": "ff", ')
    assert len(reservations(tmp_path)) == 1


def test_nothing_to_reserve_is_a_users_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no board of the hardware map fits"):
        reserve([], folder=tmp_path)
