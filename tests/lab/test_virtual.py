from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.lab.toy import toy, toy_inputs
from tinynas.errors import LinkError, ToolError
from tinynas.lab import virtual
from tinynas.lab.board import Board
from tinynas.lab.build import Image, build_image
from tinynas.lab.session import BoardSession, open_board


@pytest.fixture(scope="module")
def own_session(stm32: Board) -> Iterator[BoardSession]:
    """A board that these tests crash."""
    with open_board(stm32) as opened:
        yield opened


@pytest.fixture
def good(stm32: Board) -> Image:
    return build_image(toy(), stm32)


def raw_image(like: Image, path: Path, origin: int, content: bytes) -> Image:
    """An ELF of one segment, as some other tool might have made it."""
    header = struct.pack("<16sHHIIIIIHHHHHH", b"\x7fELF\x01\x01\x01", 2, 40, 1, origin, 52, 0, 0, 52, 32, 1, 40, 0, 0)
    segment = struct.pack("<8I", 1, 84, origin, origin, len(content), len(content), 5, 4)
    path.write_bytes(header + segment + content)
    return replace(like, elf=path)


def vectors(origin: int, code: bytes) -> bytes:
    """A vector table whose handlers all are `code`, which follows it."""
    return struct.pack("<16I", 0x2000_1000, *[origin + 64 + 1] * 15) + code


def test_a_blank_board_locks_up_and_is_started_afresh(own_session: BoardSession, good: Image, tmp_path: Path) -> None:
    blank = raw_image(good, tmp_path / "blank.elf", own_session.board.flash.origin, bytes(1024))
    with pytest.raises(LinkError, match=r"the virtual board crashed.*Lockup"):
        own_session.flash(blank)
    assert own_session.flash(good).model == "toy"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (b"\xfe\xe7", "the board says nothing"),  # b .
        # prints U for ever: ldr r0, [pc, #8]; movs r1, #0x55; str r1, [r0, #4]; b .-2; USART1's base
        (bytes.fromhex("0248 5521 4160 fde7 c046 c046 00100140"), "'U+'; is another firmware running"),
    ],
)
def test_foreign_firmware_is_told_from_the_runner(
    code: bytes, message: str, own_session: BoardSession, good: Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(virtual, "BOOT_LIMIT_S", 0.3)
    origin = own_session.board.flash.origin
    with pytest.raises(LinkError, match=message):
        own_session.flash(raw_image(good, tmp_path / "foreign.elf", origin, vectors(origin, code)))
    monkeypatch.undo()
    assert own_session.flash(good).model == "toy"


def test_a_killed_qemu_is_a_clear_error_and_the_next_flash_starts_another(
    own_session: BoardSession, good: Image
) -> None:
    own_session.flash(good)
    _kill_children(os.getpid(), "qemu-system-arm")
    with pytest.raises(LinkError, match="QEMU ended with status -9"):
        own_session.infer(toy_inputs(0))
    own_session.flash(good)
    own_session.infer(toy_inputs(0))


def test_flashing_memory_that_is_not_there_is_noticed(own_session: BoardSession, good: Image, tmp_path: Path) -> None:
    with pytest.raises(LinkError, match=r"cannot write|does not read back|refuses"):
        own_session.flash(raw_image(good, tmp_path / "elsewhere.elf", 0x9000_0000, b"1234"))
    own_session.flash(good)


def test_kill_9_leaves_no_emulator_behind() -> None:
    script = (
        "import time\n"
        "from tinynas.lab.board import load_board\n"
        "from tinynas.lab.session import open_board\n"
        "with open_board(load_board('qemu-stm32f405')):\n"
        "    print('up', flush=True)\n"
        "    time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    assert parent.stdout.readline() == "up\n"
    children = _children(parent.pid, "qemu-system-arm")
    assert len(children) == 1
    parent.kill()
    parent.communicate()
    _wait_gone(children[0])


def test_a_missing_qemu_names_its_package(stm32: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match="apt-get install qemu-system-arm"), open_board(stm32):
        pass


def test_a_machine_that_qemu_does_not_know_is_named(stm32: Board) -> None:
    assert stm32.virtual is not None
    odd = stm32.model_copy(update={"virtual": stm32.virtual.model_copy(update={"machine": "nonesuch"})})
    with pytest.raises(ToolError, match=r"QEMU did not start.*unsupported machine type"), open_board(odd):
        pass


def test_no_files_are_left(stm32: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with open_board(stm32):
        assert list(tmp_path.iterdir())
    assert not list(tmp_path.iterdir())


def _children(parent: int, name: str) -> list[int]:
    return [pid for pid in _processes() if _parent(pid) == parent and name in _read(pid, "cmdline")]


def _processes() -> list[int]:
    return [int(path.name) for path in Path("/proc").glob("[0-9]*")]


def _parent(pid: int) -> int:
    stat = _read(pid, "stat")
    return int(stat.rpartition(")")[2].split()[1]) if stat else 0


def _read(pid: int, file: str) -> str:
    """Empty if the process has ended meanwhile."""
    try:
        return Path(f"/proc/{pid}/{file}").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _kill_children(parent: int, name: str) -> None:
    """The youngest: boards of other tests may be running. Process numbers wrap, so it is the last one started."""
    os.kill(max(_children(parent, name), key=_started_ticks), signal.SIGKILL)


def _started_ticks(pid: int) -> int:
    """Start time of a process, in clock ticks since boot: field 22 of /proc/PID/stat."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])


def _wait_gone(pid: int) -> None:
    deadline_s = time.monotonic() + 10
    while Path(f"/proc/{pid}/stat").exists() and ") Z " not in Path(f"/proc/{pid}/stat").read_text():
        assert time.monotonic() < deadline_s, f"process {pid} is still there"
        time.sleep(0.01)
