"""A hundred faults on the line to a real runner: none hangs, none gives a wrong number, each is named in a report."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.lab.doubles import faulty_session
from tests.lab.faults import KINDS, OUTAGE_S, Fault, Harm, draw
from tests.lab.lines import Direction
from tests.lab.toy import ARENA_BYTES, toy, toy_inputs, toy_output
from tinynas.errors import LinkError
from tinynas.lab.board import Board, load_board
from tinynas.lab.build import build_image
from tinynas.lab.limits import Limits
from tinynas.lab.rawlog import RawLog
from tinynas.lab.session import BoardSession
from tinynas.lab.timing import Clock
from tinynas.lab.virtual import QemuBoard

N = 1000  # bytes of the larger input
REPEATS = 3
PATIENCE_S = 3.0
QEMU_PATIENCE_S = 8.0  # an emulator on a busy machine
LIMIT_S = 60.0  # for a whole job; what its steps may wait for comes to less, even on a busy machine
AT_ONCE = 16  # they mostly wait
TRIES = 3  # on a machine so busy that a board is given up for no fault
INPUTS = toy_inputs(0, N)
NO_FAULT = Fault("delay", "all", "to_board", 10**9, 0, 0)
TIME_BYTES: Mapping[Direction, int] = {"to_board": 12, "from_board": 80}  # `tag 1 time 3%`; overhead, ticks, tag

# What a fault may be called. "none": the job got through, and its figures are right.
LOSSES = {"none", "NoAnswerError", "GarbledError", "RefusedError"}
NAMES: Mapping[str, set[str]] = {
    "drop": LOSSES,
    "garble": LOSSES,
    "noise": LOSSES,
    "delay": {"none"},
    "late": LOSSES,
    "stale": LOSSES | {"RebootedError"},
    "hang": {"NoAnswerError"},
    "cut": {"PortLostError"},
    "replug": {"none", "PortLostError"},
    "power_cut": {"none", "PortLostError"},
    "reboot": {"none", "RebootedError", "NoAnswerError", "GarbledError"},
    "foreign": {"FirmwareError", "GarbledError", "NoAnswerError"},
    "baud": {"GarbledError", "NoAnswerError"},
}
FROM_THE_START = {"foreign": "FirmwareError", "baud": "GarbledError"}


@dataclass(frozen=True)
class Outcome:
    """One line of the report."""

    fault: Fault
    struck: bool
    name: str  # the error's class, or "none"
    right: bool  # no figures, or right ones
    seconds: float
    message: str


def limits(emulated: bool) -> Limits:
    """Short, or a hundred faults would take an hour."""
    patience_s = QEMU_PATIENCE_S if emulated else PATIENCE_S
    return Limits(patience_s, patience_s, replug_s=4 * OUTAGE_S, synchronise_s=patience_s)


def run_job(session: BoardSession, harm: Harm, elf: Path) -> tuple[bytes, int, tuple[float, ...]]:
    """What a measurement does: flash, load, infer, time."""
    harm.begin("all")
    session.flash_elf(elf)
    outputs, stats = session.infer(INPUTS)[0].tobytes(), session.stats()
    harm.begin("time")
    return outputs, stats.arena_bytes, session.time(REPEATS).all_latency_us


def meet(folder: Path, elf: Path, fault: Fault, qemu: tuple[Board, QemuBoard] | None = None) -> Outcome:
    """A job that meets one fault."""
    for attempt in range(TRIES):
        outcome = _meet(folder / str(attempt), elf, fault, qemu)
        too_slow = outcome.name == "NoAnswerError" and outcome.name not in NAMES[fault.kind]
        if outcome.struck and not too_slow:
            break
    return outcome


def _meet(folder: Path, elf: Path, fault: Fault, qemu: tuple[Board, QemuBoard] | None) -> Outcome:
    start_s = time.monotonic()
    with faulty_session(folder, fault, limits(qemu is not None), qemu) as (session, harm):
        try:
            figures = run_job(session, harm, elf)
            name, message, right = "none", "", figures == the_truth(harm, session)
        except LinkError as error:
            name, message, right = type(error).__name__, str(error), True
    return Outcome(fault, harm.done, name, right, time.monotonic() - start_s, message)


def the_truth(harm: Harm, session: BoardSession) -> tuple[bytes, int, tuple[float, ...]]:
    """Outputs by NumPy, and times as the board said them before the line did its harm."""
    said = harm.true.decode("ascii", "replace").rpartition("m-overhead-")[2]
    overhead = int(re.match(r"\d+", said)[0])  # type: ignore[index]
    ticks = [int(count) - overhead for count in re.findall(r"m-ticks-(\d+)", said)]
    timing = Clock(session.board.virtual, session.clock_hz).timing(ticks)
    return toy_output(INPUTS).tobytes(), ARENA_BYTES, timing.all_latency_us


def job_bytes(folder: Path, elf: Path, qemu: tuple[Board, QemuBoard] | None = None) -> Mapping[Direction, int]:
    """What surely goes over the line in each direction: a clean job's, less what tags of other lengths may take."""
    with faulty_session(folder, NO_FAULT, limits(qemu is not None), qemu) as (session, harm):
        run_job(session, harm, elf)
        sent = re.findall(r" > (['\"])(.*)\1$", (folder / "log").read_text(), re.M)
        to_board = sum(len(text.encode().decode("unicode_escape")) for _, text in sent)
        return {"to_board": to_board - 60, "from_board": len(harm.true) - 60}


def parts(sizes: Mapping[Direction, int]) -> list[tuple[str, Mapping[Direction, int]]]:
    """The whole job, and the part in which the figures are told."""
    return [("all", sizes), ("time", TIME_BYTES)]


def check(outcomes: list[Outcome], report: Path) -> None:
    """Writes the report, then looks for what must not be."""
    lines = [json.dumps({**vars(outcome), "fault": vars(outcome.fault)}) for outcome in outcomes]
    report.write_text("\n".join(lines) + "\n")
    assert [o for o in outcomes if not o.right] == []
    assert [o for o in outcomes if o.seconds > LIMIT_S] == []
    assert [o for o in outcomes if not o.struck] == []
    assert [o for o in outcomes if o.name not in NAMES[o.fault.kind]] == []
    started = [o for o in outcomes if o.fault.part == "all" and o.fault.at == 0 and o.fault.direction == "from_board"]
    assert [o for o in started if o.name != FROM_THE_START.get(o.fault.kind, o.name)] == []
    assert [o for o in outcomes if o.name != "none" and "/port: " not in o.message] == []


@pytest.fixture(scope="module")
def host_elf() -> Path:
    return build_image(toy(n=N), load_board("host")).elf


def test_a_hundred_faults_on_the_host(tmp_path: Path, host_elf: Path) -> None:
    sizes = job_bytes(tmp_path / "clean", host_elf)
    kinds = list(KINDS) * 8
    faults = [draw(kind, seed, *parts(sizes)[seed % 2]) for seed, kind in enumerate(kinds[:100])]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = list(pool.map(lambda fault: meet(tmp_path / str(fault.seed), host_elf, fault), faults))
    check(found, tmp_path / "faults.jsonl")
    assert {outcome.fault.kind for outcome in found} == set(KINDS)


def test_faults_on_an_emulated_board(tmp_path: Path) -> None:
    """By its UART alone. Times are counted instructions, so what gets through is the same every time."""
    board = load_board("qemu-stm32f405")
    elf = build_image(toy(n=N), board).elf
    log = RawLog(tmp_path / "qemu.log")
    qemu = QemuBoard(board, log)
    kinds = [kind for kind in KINDS if kind not in ("reboot", "power_cut", "late")]  # the machine itself stays on
    try:
        sizes = job_bytes(tmp_path / "clean", elf, (board, qemu))
        faults = [draw(kind, 1000 + k, *parts(sizes)[k % 2]) for k, kind in enumerate(kinds)]
        found = [meet(tmp_path / fault.kind, elf, fault, (board, qemu)) for fault in faults]
    finally:
        qemu.close()
        log.close()
    check(found, tmp_path / "faults.jsonl")


def test_outputs_are_what_the_fault_tests_take_them_for(tmp_path: Path, host_elf: Path) -> None:
    with faulty_session(tmp_path / "x", NO_FAULT, limits(emulated=False)) as (session, _):
        session.flash_elf(host_elf)
        np.testing.assert_array_equal(session.infer(INPUTS)[0], toy_output(INPUTS))
