"""The runner's text protocol (firmware/runner/PROTOCOL.md), spoken over the raw line."""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator

import numpy as np
import pytest

from tests.lab.toy import toy, toy_inputs, toy_output
from tinynas.errors import LinkError
from tinynas.lab.board import load_board
from tinynas.lab.build import build_image
from tinynas.lab.device import Device
from tinynas.lab.framing import ABORT, frame
from tinynas.lab.hostboard import HostBoard
from tinynas.lab.link import SerialLink
from tinynas.lab.rawlog import RawLog
from tinynas.lab.virtual import QemuBoard

LIMIT_S = 10.0
N = 20


@pytest.fixture(scope="module", params=["host", "qemu-stm32f405"])
def device(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Device]:
    board = load_board(request.param)
    log = RawLog(tmp_path_factory.mktemp("protocol") / "raw.log")
    opened: Device = HostBoard(log) if board.kind == "host" else QemuBoard(board, log)
    opened.program(build_image(toy(n=N), board).elf)
    yield opened
    opened.close()


@pytest.fixture
def link(device: Device) -> SerialLink:
    return device.link


def test_name_and_profile(link: SerialLink) -> None:
    assert link.command("name", LIMIT_S) == ["m-name-dut-[tinynas]"]
    profile = link.command("profile", LIMIT_S)
    assert profile[:3] == ["m-profile-[tinynas-runner 1]", "m-model-[toy]", "m-sha256-[00ff]"]
    assert profile[-1] == "m-extensions-[io loaded ops out put run stats tag time]"


def test_help_lists_all_commands_that_profile_announces(link: SerialLink) -> None:
    listed = {line.removeprefix("m-help-[").removesuffix("]") for line in link.command("help", LIMIT_S)}
    extensions = link.command("profile", LIMIT_S)[-1].partition("[")[2].removesuffix("]").split()
    assert listed == {"name", "profile", "timestamp", "help", "db", "infer", "results", *extensions}


def test_timestamps_do_not_go_back(link: SerialLink) -> None:
    laps = [int(link.command("timestamp", LIMIT_S)[0].removeprefix("m-lap-us-")) for _ in range(3)]
    assert laps == sorted(laps)


def _load_hex(link: SerialLink, data: bytes) -> list[str]:
    assert link.command(f"db load {len(data)}", LIMIT_S) == [f"m-[Expecting {len(data)} bytes]"]
    answers: list[str] = []
    for at in range(0, len(data), 7):
        answers += link.command(f"db {data[at : at + 7].hex()}", LIMIT_S)
    return answers


def test_db_load_infer_and_results_as_the_standard_runner_drives_them(link: SerialLink) -> None:
    inputs = toy_inputs(5, N)
    data = inputs[0].tobytes() + inputs[1].tobytes()
    assert _load_hex(link, data) == ["m-load-done"]
    printed = "-".join(line.removeprefix("m-buffer-") for line in link.command("db print", LIMIT_S))
    assert bytes.fromhex(printed.replace("-", "")) == data
    answer = link.command("infer 3 2", LIMIT_S)
    assert answer[:3] == ["m-warmup-start-2", "m-warmup-done", "m-infer-start-3"]
    first, second = (int(line.removeprefix("m-lap-us-")) for line in answer[3:5])
    assert first <= second
    reals = (toy_output(inputs).astype(float) + 128) / 256
    found = [float(text) for text in answer[6].removeprefix("m-results-[").removesuffix("]").split(",")]
    assert answer[5] == "m-infer-done"
    np.testing.assert_allclose(found, reals, atol=0.00051)
    assert link.command("results", LIMIT_S) == answer[6:]


def test_ten_warm_ups_by_default(link: SerialLink) -> None:
    assert link.command("infer 1", LIMIT_S)[0] == "m-warmup-start-10"


@pytest.mark.parametrize(
    ("words", "wanted"),
    [("3", ["m-buffer-01-02-03"]), ("2 3", ["m-buffer-04-05"]), ("99 4", ["m-buffer-05"]), ("0", []), ("1 9", [])],
)
def test_a_part_of_what_was_loaded_is_printed(link: SerialLink, words: str, wanted: list[str]) -> None:
    _load_hex(link, bytes([1, 2, 3, 4, 5]))
    assert link.command(f"db print {words}", LIMIT_S) == wanted


def test_bytes_past_the_announced_size_are_ignored(link: SerialLink) -> None:
    link.command("db load 2", LIMIT_S)
    assert link.command("db 0102030405", LIMIT_S) == ["m-load-done"]
    assert link.command("db print", LIMIT_S) == ["m-buffer-01-02"]


def put(link: SerialLink, index: int, data: bytes, crc: int | None = None) -> int:
    """Gives the command; returns the byte from which the board wants the tensor."""
    answer = link.begin(f"put {index} {len(data)} {zlib.crc32(data) if crc is None else crc:08x}")
    line = link.until(answer, "m-[Expecting", LIMIT_S)
    return int(line.rpartition(" ")[2].removesuffix("]"))


def receive(link: SerialLink, size: int) -> bytes:
    got, deadline_s = b"", time.monotonic() + LIMIT_S
    while len(got) < size and time.monotonic() < deadline_s:
        got += link.receive(LIMIT_S)
    return got


def acknowledgement(number: int) -> bytes:
    return bytes([0x80 | number, 0xC0 | (63 - number)])


def loaded(link: SerialLink, wanted: bytes = b"m-load-done\r\nm-ready\r\n") -> None:
    assert receive(link, len(wanted)) == wanted


def outputs_of(link: SerialLink) -> bytes:
    lines = link.command("run", LIMIT_S)
    return bytes.fromhex("".join(line.removeprefix("m-hex-") for line in lines if line.startswith("m-hex-")))


def test_put_writes_inputs_and_acknowledges_each_frame(link: SerialLink) -> None:
    inputs = toy_inputs(9, N)
    for index, array in enumerate(inputs):
        assert put(link, index, array.tobytes()) == 0
        link.send(frame(0, array.tobytes()))
        loaded(link, acknowledgement(1) + b"m-load-done\r\nm-ready\r\n")
    assert outputs_of(link) == toy_output(inputs).tobytes()


@pytest.mark.parametrize(
    "damaged",
    [
        b"\x05junk\0",
        frame(1, bytes(N)),  # not the one that is wanted
        frame(0, bytes(N + 1)),
        frame(0, bytes(N - 1)),
        frame(0, bytes(N)).replace(b"\x01", b"\x02", 1),
        b"\xff" * 1000 + b"\0",  # much longer than the input: what lies behind it must stay as it is
    ],
)
def test_a_damaged_frame_is_asked_for_again_and_does_no_harm(link: SerialLink, damaged: bytes) -> None:
    inputs = toy_inputs(10, N)
    put(link, 1, inputs[1].tobytes())
    link.send(frame(0, inputs[1].tobytes()))
    loaded(link, acknowledgement(1) + b"m-load-done\r\nm-ready\r\n")
    put(link, 0, inputs[0].tobytes())
    link.send(damaged + b"\0" + frame(0, inputs[0].tobytes()))
    loaded(link, acknowledgement(0) + acknowledgement(1) + b"m-load-done\r\nm-ready\r\n")
    assert outputs_of(link) == toy_output(inputs).tobytes()


def test_put_gives_up_when_it_is_told_to(link: SerialLink) -> None:
    put(link, 0, bytes(N))
    link.send(b"\x03ab" + ABORT)
    loaded(link, acknowledgement(0) + b"e-[aborted: put again]\r\nm-ready\r\n")


def test_put_gives_up_when_nothing_comes(device: Device, link: SerialLink) -> None:
    if not isinstance(device, HostBoard):
        pytest.skip("an emulated board counts polls, which take long on a busy machine")
    put(link, 0, bytes(N))
    loaded(link, b"e-[timeout: put again]\r\nm-ready\r\n")


def test_put_refuses_a_whole_that_is_not_the_one_announced(link: SerialLink) -> None:
    put(link, 0, bytes(N), crc=1)
    link.send(frame(0, bytes(N)))
    loaded(link, acknowledgement(1) + b"e-[bad-crc: put again]\r\nm-ready\r\n")


def test_put_goes_on_where_it_was_unless_the_arena_was_touched(link: SerialLink) -> None:
    data = bytes(range(N))
    put(link, 0, data)
    link.send(frame(0, data))
    loaded(link, acknowledgement(1) + b"m-load-done\r\nm-ready\r\n")
    assert put(link, 0, data) == N
    loaded(link)
    link.command("run", LIMIT_S)
    assert put(link, 0, data) == 0
    link.send(ABORT)
    loaded(link, b"e-[aborted: put again]\r\nm-ready\r\n")


def test_a_tag_and_a_checksum_close_the_answer_to_a_tagged_command(link: SerialLink) -> None:
    plain = "".join(f"{line}\r\n" for line in link.command("io", LIMIT_S)).encode()
    crc = zlib.crc32(b"io" + plain)
    assert link.command("tag x7 io", LIMIT_S)[-1] == f"m-tag-x7-{crc:08x}"


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("nonsense", "unknown-command: nonsense"),
        ("", "unknown-command"),
        ("infer", "usage"),
        ("infer 0", "usage"),
        ("infer 1 x", "usage"),
        ("infer 99999999999", "usage"),
        ("time", "usage"),
        ("ops 2", "usage"),
        ("ops 0", "no-profile"),
        ("db", "usage"),
        ("db print x", "usage"),
        ("db print 1 x", "usage"),
        ("db load", "usage"),
        ("db load 0", "usage"),
        (f"db load {N + 2}", "too-big"),
        ("put 0", "usage"),
        ("put 2 1 0", "bad-size"),
        (f"put 0 {N + 1} 0", "bad-size"),
        ("tag", "usage"),
        ("x" * 81, "too-long"),
    ],
)
def test_what_it_does_not_understand_is_refused_and_it_goes_on(link: SerialLink, command: str, code: str) -> None:
    with pytest.raises(LinkError, match=rf"e-\[{code}"):
        link.command(command, LIMIT_S)
    assert link.command("name", LIMIT_S) == ["m-name-dut-[tinynas]"]


@pytest.mark.parametrize("digits", ["0", "0g", "zz", "012"])
def test_bad_hex_is_refused(link: SerialLink, digits: str) -> None:
    link.command("db load 8", LIMIT_S)
    with pytest.raises(LinkError, match="bad-hex"):
        link.command(f"db {digits}", LIMIT_S)


def test_there_are_no_results_of_inputs_that_were_not_run(link: SerialLink) -> None:
    link.command("db load 2", LIMIT_S)
    with pytest.raises(LinkError, match="no-results"):
        link.command("results", LIMIT_S)


def test_line_ends_between_commands_do_no_harm(link: SerialLink) -> None:
    assert link.command("\r\nname", LIMIT_S) == ["m-name-dut-[tinynas]"]
