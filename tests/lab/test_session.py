from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.lab.toy import ARENA_BYTES, counted, toy, toy_inputs, toy_output
from tinynas.errors import BoardError, LinkError, ModelError
from tinynas.lab.board import Board, known_boards, load_board
from tinynas.lab.build import build_image
from tinynas.lab.limits import Limits
from tinynas.lab.session import BoardSession, open_board

# no gap in a frame is as large as the guard under the stack, else it could be stepped over
LOOP = "__attribute__((noinline)) static int eat(int depth) { volatile char hole[64]; "
FILL = "for (int i = 0; i < 64; i += 16) hole[i] = (char)depth; "
RECURSION = LOOP + FILL + "return depth ? eat(depth - 1) + hole[0] : 0; }"


@pytest.fixture(scope="module", params=[name for name in known_boards() if name.startswith("qemu")])
def virtual_board(request: pytest.FixtureRequest) -> Iterator[BoardSession]:
    with open_board(load_board(request.param)) as opened:
        yield opened


@pytest.fixture(scope="module")
def host() -> Iterator[BoardSession]:
    with open_board(load_board("host")) as opened:
        yield opened


def check_inference(opened: BoardSession) -> None:
    """Small inputs go over the line, large ones through the debugger where there is one; results are the same."""
    for n in (64, 1000):
        opened.flash(build_image(toy(n=n), opened.board))
        for seed in range(2):
            inputs = toy_inputs(seed, n)
            np.testing.assert_array_equal(opened.infer(inputs)[0], toy_output(inputs))


def test_inference_on_every_virtual_board(virtual_board: BoardSession) -> None:
    check_inference(virtual_board)


def test_inference_on_the_host(host: BoardSession) -> None:
    check_inference(host)


def test_counts_are_exact_on_every_virtual_board(virtual_board: BoardSession) -> None:
    for rounds in (1, 70_000):
        generated, instructions = counted(rounds)
        virtual_board.flash(build_image(generated, virtual_board.board))
        timing = virtual_board.time(3)
        assert timing.all_instructions == (instructions,) * 3
        assert timing.latency_us == pytest.approx(instructions / virtual_board.board.clock_hz * 1e6)


def test_lap_times_are_counted_instructions_over_the_clock(virtual_board: BoardSession) -> None:
    """By MLPerf Tiny's own lines; between the laps there is also the loop around the inferences."""
    generated, instructions = counted(2_000_000)
    virtual_board.flash(build_image(generated, virtual_board.board))
    laps = virtual_board.infer_many(5)
    start, end = laps.start_us, laps.end_us
    latency_us = instructions / virtual_board.board.clock_hz * 1e6
    assert latency_us <= (end - start) / 5 <= latency_us * 1.02


def test_the_host_tells_time_not_instructions(host: BoardSession) -> None:
    host.flash(build_image(toy(), host.board))
    timing = host.time(5)
    assert timing.instructions is None
    assert timing.latency_us >= 0


def test_a_stack_overflow_is_reported_and_the_board_can_be_flashed_again(virtual_board: BoardSession) -> None:
    deep = virtual_board.board.stack_bytes // 64
    virtual_board.flash(build_image(toy(before=RECURSION, during=f"z[0] = (int8_t)eat({deep});"), virtual_board.board))
    with pytest.raises(LinkError, match=r"stack overflow|Lockup"):  # an M0 has no guard: its fault handler has no stack
        virtual_board.infer(toy_inputs(0))
    virtual_board.flash(build_image(toy(), virtual_board.board))
    virtual_board.infer(toy_inputs(0))


def test_counts_are_the_same_in_another_process(session: BoardSession, tmp_path: Path) -> None:
    image = build_image(toy(), session.board)
    session.flash(image)
    script = (
        "from tests.lab.toy import toy\n"
        "from tinynas.lab.board import load_board\n"
        "from tinynas.lab.build import build_image\n"
        "from tinynas.lab.session import open_board\n"
        "board = load_board('qemu-stm32f405')\n"
        "with open_board(board) as opened:\n"
        "    opened.flash(build_image(toy(), board))\n"
        "    print(opened.time(1).instructions)\n"
    )
    there = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert session.time(2).all_instructions == (int(there.stdout),) * 2


def test_stack_use_is_the_inference_s(session: BoardSession) -> None:
    """Seven nested frames of at least 64 B more raise the mark by that, and it falls again with the next image."""
    marks = []
    for depth in (1, 8, 1):
        session.flash(build_image(toy(before=RECURSION, during=f"z[0] = (int8_t)eat({depth});"), session.board))
        session.infer(toy_inputs(0))
        stats = session.stats()
        assert stats.canary == "whole"
        marks.append(stats.stack_bytes)
    assert marks[0] == marks[2]
    assert 7 * 64 <= marks[1] - marks[0] <= 7 * 128


def test_memory_is_the_plan_s(session: BoardSession) -> None:
    session.flash(build_image(toy(), session.board))
    stats = session.stats()
    assert (stats.arena_bytes, stats.stack_reserved_bytes) == (ARENA_BYTES, session.board.stack_bytes)


def test_a_write_past_the_arena_breaks_the_canary(session: BoardSession) -> None:
    session.flash(build_image(toy(during=f"arena[{ARENA_BYTES}] = 1;"), session.board))
    with pytest.raises(LinkError, match="canary: write past the arena"):
        session.infer(toy_inputs(0))


def test_a_profile_has_every_op(session: BoardSession) -> None:
    session.flash(build_image(toy(), session.board, profile=True))
    first, second = session.profile()
    assert first.instructions is not None and second.instructions is not None
    assert (first.index, second.index) == (0, 1)
    assert first.instructions > 64 * 5 > second.instructions >= 0


def test_a_profile_needs_a_profiling_image(session: BoardSession) -> None:
    session.flash(build_image(toy(), session.board))
    with pytest.raises(LinkError, match="no-profile"):
        session.profile()


def test_results_are_those_of_the_first_inference_after_a_load(session: BoardSession) -> None:
    """An inference that overwrites its input must not change what the board reports."""
    session.flash(build_image(toy(during="arena[0]++;"), session.board))
    inputs = toy_inputs(3)
    session.load(inputs)
    session.time(4)
    np.testing.assert_array_equal(session.outputs()[0], toy_output(inputs))


def test_large_outputs_are_told_after_one_inference_only(session: BoardSession) -> None:
    """They are not kept beside the arena."""
    session.flash(build_image(toy(n=1024, arena=8192), session.board))
    inputs = toy_inputs(0, 1024)
    np.testing.assert_array_equal(session.infer(inputs)[0], toy_output(inputs))
    np.testing.assert_array_equal(session.outputs()[0], toy_output(inputs))


def test_inputs_of_the_wrong_size_are_refused(session: BoardSession) -> None:
    session.flash(build_image(toy(), session.board))
    with pytest.raises(ModelError, match=r"takes inputs of \(64, 1\) bytes, found \(63, 1\)"):
        session.infer(toy_inputs(0, 63))


def test_an_inference_that_never_ends_is_given_up(session: BoardSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "limits", Limits(inference_s=0.3))
    session.flash(build_image(toy(during="for (;;) { }"), session.board))
    with pytest.raises(LinkError, match="wanted the answer to 'run', the board says nothing"):
        session.infer(toy_inputs(0))
    session.flash(build_image(toy(), session.board))


def test_a_restart_in_the_middle_is_noticed(session: BoardSession) -> None:
    reset = "*(volatile uint32_t *)0xE000ED0Cu = 0x05FA0004u; for (;;) { }"
    session.flash(build_image(toy(during=reset), session.board))
    with pytest.raises(LinkError, match="the board restarted during 'run'"):
        session.infer(toy_inputs(0))


def test_a_fault_says_where(session: BoardSession) -> None:
    session.flash(build_image(toy(during="*(volatile int *)0x60000000 = 1;"), session.board))
    with pytest.raises(LinkError, match=r"fault: see cfsr.*bfar=60000000 pc=0800"):
        session.infer(toy_inputs(0))


def test_the_log_is_kept_with_times(stm32: Board, tmp_path: Path) -> None:
    log = tmp_path / "deep" / "raw.log"
    with open_board(load_board("host"), log=log) as opened:
        opened.flash(build_image(toy(), opened.board))
        opened.infer(toy_inputs(0))
    lines = log.read_text().splitlines()
    assert [float(line.split()[0]) for line in lines] == sorted(float(line.split()[0]) for line in lines)
    assert any(line.endswith(" run%'") for line in lines)
    assert any("< 'm-hex-" in line for line in lines)


def test_hardware_needs_a_port(stm32: Board) -> None:
    real = stm32.model_copy(update={"kind": "hardware", "virtual": None})
    with pytest.raises(BoardError, match="give its port"), open_board(real):
        pass
