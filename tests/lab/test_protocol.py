"""The runner's text protocol (firmware/runner/PROTOCOL.md), spoken over the raw line."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from tests.lab.toy import toy, toy_inputs, toy_output
from tinynas.errors import LinkError
from tinynas.lab.board import load_board
from tinynas.lab.build import build_image
from tinynas.lab.device import Device
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


def test_bytes_past_the_announced_size_are_ignored(link: SerialLink) -> None:
    link.command("db load 2", LIMIT_S)
    assert link.command("db 0102030405", LIMIT_S) == ["m-load-done"]
    assert link.command("db print", LIMIT_S) == ["m-buffer-01-02"]


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
