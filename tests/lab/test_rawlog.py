from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tinynas.errors import StoreError
from tinynas.lab.rawlog import RawLog

FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")


def test_every_byte_is_there_with_its_direction(tmp_path: Path) -> None:
    log = RawLog(tmp_path / "deep" / "log")
    log.sent(b"name%")
    log.received(b"m-name\xff")
    log.received(b"\r\n")
    log.remark("done")
    log.close()
    lines = [line.split(maxsplit=1)[1] for line in (tmp_path / "deep" / "log").read_text().splitlines()]
    assert lines[1:] == ["> 'name%'", r"< 'm-name\xff\r\n'", "# done"]


def test_what_came_without_a_line_end_is_not_lost(tmp_path: Path) -> None:
    log = RawLog(tmp_path / "log")
    log.received(b"half a li")
    log.close()
    assert "< 'half a li'" in (tmp_path / "log").read_text()


@FULL
def test_a_full_disk_is_named() -> None:
    with pytest.raises(StoreError, match="/dev/full: the serial log cannot be written: No space left"):
        RawLog(Path("/dev/full"))


def test_a_disk_that_fills_up_stops_the_session_with_one_error_and_leaves_whole_lines(tmp_path: Path) -> None:
    """The limit on the size of a file stands for the disk: what fits is written, then writing fails."""
    script = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from tests.lab.toy import toy, toy_inputs\n"
        "from tinynas.errors import StoreError\n"
        "from tinynas.lab.board import load_board\n"
        "from tinynas.lab.build import build_image\n"
        "from tinynas.lab.session import open_board\n"
        "host, log = load_board('host'), Path(sys.argv[1])\n"
        "image = build_image(toy(), host)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))\n"
        "try:\n"
        "    with open_board(host, log=log) as session:\n"
        "        session.flash(image)\n"
        "        for seed in range(100):\n"
        "            session.infer(toy_inputs(seed))\n"
        "except StoreError as error:\n"
        "    print(error)\n"
    )
    log = tmp_path / "log"
    command = [sys.executable, "-c", script, str(log)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert f"{log}: the serial log cannot be written: File too large" in ran.stdout
    assert log.stat().st_size == 5000
    lines = log.read_text().splitlines()
    assert all(line.split()[1] in "<>#" for line in lines[:-1])
