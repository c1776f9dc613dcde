from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.lab.nets import small_net
from tinynas.errors import FitError, ModelError, ToolError
from tinynas.graph.stats import macs
from tinynas.graph.tflite_reader import read_tflite
from tinynas.graph.tflm import TflmInterpreter
from tinynas.lab.board import Board, load_board
from tinynas.lab.measure import SEED, Measurement, build_model, measure, output_bytes
from tinynas.lab.runtime_size import runtime_size
from tinynas.lab.session import BoardSession
from tinynas.plan.fit import fit
from tinynas.plan.planner import plan
from tinynas.quantize.seeded import seeded_inputs

FIELDS = (
    "model sha256 board runtime engine_version toolchain clock_hz instructions est_cycles latency_us latency_kind "
    "repeats peak_sram_bytes runner_sram_bytes arena_bytes flash_bytes macs bit_exact output_sha256 serial_log "
    "warmups spread celsius"
)


@pytest.fixture(scope="module")
def model() -> bytes:
    return small_net(0)


@pytest.fixture(scope="module")
def measured(model: bytes, session: BoardSession) -> Measurement:
    return measure(model, session.board, model="small.tflite", session=session)


def test_the_fields_are_those_that_scripts_rely_on(measured: Measurement) -> None:
    assert list(measured.model_dump()) == FIELDS.split()


def test_the_board_gives_tflite_micro_s_bytes(measured: Measurement, model: bytes) -> None:
    inputs = seeded_inputs(read_tflite(model), SEED)[0]
    with TflmInterpreter(model) as interpreter:
        wanted = output_bytes(interpreter.run(inputs))
    assert measured.bit_exact
    assert measured.output_sha256 == hashlib.sha256(wanted).hexdigest()


def test_memory_is_as_planned(measured: Measurement, model: bytes, stm32: Board) -> None:
    planned = plan(read_tflite(model), stm32.core)
    predicted = fit(planned, stm32, runtime_size(stm32))
    assert measured.arena_bytes == planned.arena_bytes
    assert measured.runner_sram_bytes == predicted.runner_sram_bytes <= 4096
    assert planned.arena_bytes < measured.peak_sram_bytes <= planned.arena_bytes + stm32.stack_bytes


@pytest.mark.parametrize("name", ["qemu-stm32f405", "qemu-mps2-an505", "qemu-mps3-an547"])
def test_predicted_flash_is_within_one_percent_of_the_linked_image(name: str, tmp_path: Path) -> None:
    board = load_board(name)
    built = build_model(small_net(0, channels=96), board, tmp_path)
    predicted = fit(built.plan, board, runtime_size(board))
    assert predicted.flash_bytes == pytest.approx(built.image.flash_bytes, rel=0.01)


def test_latency_is_instructions_over_the_clock(measured: Measurement, model: bytes) -> None:
    assert measured.instructions is not None
    assert measured.latency_us == pytest.approx(measured.instructions / 168.0)
    assert (measured.latency_kind, measured.est_cycles, measured.repeats) == ("virtual", None, 3)
    assert measured.macs == macs(read_tflite(model))
    assert measured.instructions > measured.macs


def test_measuring_again_gives_the_same(measured: Measurement, model: bytes, session: BoardSession) -> None:
    assert measure(model, session.board, model="small.tflite", session=session) == measured


def test_the_host_runs_the_same_engine(measured: Measurement, model: bytes, tmp_path: Path) -> None:
    here = measure(model, load_board("host"), log=tmp_path / "raw.log")
    assert here.bit_exact
    assert here.output_sha256 == measured.output_sha256
    assert (here.latency_kind, here.instructions, here.flash_bytes) == ("host", None, None)
    assert here.latency_us > 0
    assert here.serial_log == str(tmp_path / "raw.log")


def test_a_model_that_does_not_fit_is_refused_before_it_is_built(stm32: Board) -> None:
    tiny = stm32.model_copy(update={"sram": stm32.sram.model_copy(update={"size_bytes": 8192})})
    with pytest.raises(FitError, match="B too many") as caught:
        measure(small_net(0, channels=64), tiny)
    assert caught.value.overflow_bytes > 0


def test_a_truncated_model_is_refused(model: bytes, session: BoardSession) -> None:
    with pytest.raises(ModelError):
        measure(model[: len(model) // 2], session.board, session=session)


def test_other_runtimes_are_not_made_up(model: bytes, session: BoardSession) -> None:
    with pytest.raises(ToolError, match="time it: tinynas time --runtime tflm"):
        measure(model, session.board, session=session, runtime="tflm")
