"""Runs on real virtual boards: what passes, fails, hangs, waits, is skipped, and how often."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.lab.nets import SIDE, small_net
from tests.lab.regression.conftest import Bench, with_cases
from tests.lab.tflm_double import write_double
from tinynas.errors import ConfigError
from tinynas.graph.interface import deployable
from tinynas.graph.tflite_reader import read_tflite
from tinynas.lab.hwmap import read_map
from tinynas.lab.locks import board_lock, lock_folder, lock_holder
from tinynas.lab.regression.attempt import Status
from tinynas.lab.regression.baseline import Baseline, Record
from tinynas.lab.regression.result import CaseResult
from tinynas.lab.regression.run_folder import read_results
from tinynas.lab.regression.setup import Mode, Setup
from tinynas.lab.regression.updating import records_of
from tinynas.lab.regression.work import Options
from tinynas.lab.tflm_model import op_methods

NOW = Options(retry_interval_s=0.0)


def locked() -> list[str]:
    """Boards that a process has."""
    names = [path.stem for path in lock_folder().glob("[!.]*.lock")]
    return [name for name in names if lock_holder(name) is not None]


def test_all_pairs_run_once_and_the_results_are_kept(bench: Bench) -> None:
    setup = bench.set_up()
    with setup.open_run(fresh=False) as folder:
        result = bench.run_in(folder, setup, NOW)
    assert [(case.case, case.status) for case in result.cases] == [
        ("net0@qemu-stm32f405/engine", Status.PASSED),
        ("net1@qemu-stm32f405/engine", Status.PASSED),
    ]
    assert {len(case.attempts) for case in result.cases} == {1}
    assert all(case.metrics and case.metrics.bit_exact and case.metrics.instructions for case in result.cases)
    assert [case.compared.note for case in result.cases] == ["no baseline yet"] * 2
    assert result.exit_status == 0
    assert read_results(folder.path) == result
    for case in result.cases:
        logs = folder.path / case.attempts[0].folder
        assert "m-ready" in (logs / "serial.log").read_text()
        assert "passed" in (logs / "log.txt").read_text()
    assert locked() == []


def test_a_count_above_the_baseline_fails_is_tried_again_without_flashing_and_every_attempt_is_kept(
    bench: Bench,
) -> None:
    setup = with_cases(bench.set_up(), 1)
    first = bench.run(setup=setup)
    records = records_of(first, ["*"])
    assert bench.run(setup=held_to(setup, records, 0)).cases[0].compared.regressions == []

    result = bench.run(replace(NOW, retries=1), held_to(setup, records, -1))
    case = result.cases[0]
    assert (case.status, result.exit_status, len(case.attempts)) == (Status.FAILED, 1, 2)
    assert "instructions worse" in case.message
    assert [attempt.flashed for attempt in case.attempts] == [True, False]
    assert all((setup.root / result.run / attempt.folder / "serial.log").is_file() for attempt in case.attempts)

    better = bench.run(setup=held_to(setup, records, +1)).cases[0]
    assert better.status is Status.PASSED
    assert [figure.metric for figure in better.compared.figures if figure.verdict == "better"] == ["instructions"]


def held_to(setup: Setup, records: list[tuple[str, Record]], instructions: int) -> Setup:
    """The setup with a baseline of `instructions` more than was measured."""
    case, record = records[0]
    assert record.metrics.instructions is not None
    metrics = record.metrics.model_copy(update={"instructions": record.metrics.instructions + instructions})
    baseline = Baseline().with_records([(case, record.model_copy(update={"metrics": metrics}))])
    return replace(setup, work=replace(setup.work, baseline=baseline), key=str(instructions))


def test_what_the_model_is_to_blame_for_costs_nobody_else(bench: Bench) -> None:
    bench.model("big", small_net(0, side=400))
    bench.model("broken", small_net(0)[:500])
    result = bench.run(replace(NOW, retries=2))
    by_model = {case.model: case for case in result.cases}
    assert [by_model[name].status for name in ("big", "broken", "net0", "net1")] == [
        *[Status.FAILED] * 2,
        *[Status.PASSED] * 2,
    ]
    assert "fit" in by_model["big"].message
    assert len(by_model["big"].attempts) == 1, "it would not fit the second time either"
    assert by_model["big"].attempts[0].entry is None
    assert result.exit_status == 1


def test_a_board_that_hangs_is_killed_power_cycled_tried_again_and_taken_out(bench: Bench) -> None:
    """A tenth of a second is too short for QEMU to start, be flashed and run: to the lab that is a hang."""
    bench.suite("timeout_s = 0.05")
    power = f"flash_timeout: 0.05\n  power: {{command: touch {bench.folder}/cycled}}"
    (bench.folder / "map.yaml").write_text(f"- id: a\n  board: qemu-stm32f405\n  {power}\n")
    setup = with_cases(bench.set_up(), 2)
    result = bench.run(replace(NOW, retries=1), setup)
    assert [case.status for case in result.cases] == [Status.ERROR] * 2
    assert result.exit_status == 3
    assert "did not end within 0.1 s" in result.cases[0].attempts[0].message
    assert "3 errors in a row" in result.boards[0].trouble
    assert sum(len(case.attempts) for case in result.cases) == 3
    assert (bench.folder / "cycled").exists()
    assert locked() == []


def test_a_board_that_is_not_there_is_the_labs_trouble_and_its_cases_go_to_the_other(bench: Bench) -> None:
    """Its port is gone; it is power-cycled each time, in case that brings it back."""
    power = f"power: {{command: touch {bench.folder}/cycled}}"
    (bench.folder / "map.yaml").write_text(
        f"- id: gone\n  board: qemu-stm32f405\n  serial: /dev/no-such-port\n  {power}\n"
        "- {id: there, board: qemu-stm32f405}\n"
    )
    bench.suite("every_board = true")
    (bench.folder / "net1.tflite").unlink()
    result = bench.run(replace(NOW, retries=1))
    gone, there = result.cases
    assert (gone.status, there.status, result.exit_status) == (Status.ERROR, Status.PASSED, 3)
    assert [attempt.status for attempt in gone.attempts] == [Status.ERROR] * 2
    assert "/dev/no-such-port" in gone.message
    assert (bench.folder / "cycled").exists()
    log = next(bench.folder.glob("runs/*/cases/net0@qemu-stm32f405-gone-engine/attempt-2/log.txt")).read_text()
    assert "power-cycled" in log


def test_a_board_in_use_is_waited_for(bench: Bench) -> None:
    setup = with_cases(bench.set_up(), 1)
    setup = replace(setup, work=replace(setup.work, entries=setup.work.entries[:1]))
    held = threading.Event()

    def hold_until_somebody_waits() -> None:
        with board_lock("qemu-stm32f405-1", "someone's experiment"):
            held.set()
            deadline_s = time.monotonic() + 120
            while not bench.said and time.monotonic() < deadline_s:
                time.sleep(0.05)

    thread = threading.Thread(target=hold_until_somebody_waits)
    thread.start()
    held.wait()
    result = bench.run(setup=setup)
    thread.join()
    assert result.cases[0].status is Status.PASSED
    assert ["someone's experiment" in line for line in bench.said] == [True]


def test_a_board_that_is_never_free_is_the_labs_trouble_not_the_models(bench: Bench) -> None:
    setup = with_cases(bench.set_up(), 1)
    with board_lock("qemu-stm32f405-1"), board_lock("qemu-stm32f405-2"):
        result = bench.run(replace(NOW, wait_s=0.2), setup)
    assert (result.cases[0].status, result.exit_status) == (Status.ERROR, 3)
    assert "no board left" in result.cases[0].message
    assert "in use by" in result.cases[0].message


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("- {id: a, board: qemu-mps2-an386}\n", "no qemu-stm32f405 in the hardware map"),
        ("- {id: a, board: qemu-stm32f405, connected: false}\n", "a: not connected"),
        ("- {id: a, board: qemu-stm32f405, fixtures: [lamp]}\n", "no qemu-stm32f405 has camera"),
    ],
)
def test_without_a_board_that_fits_all_is_skipped_and_says_why(bench: Bench, rows: str, words: str) -> None:
    (bench.folder / "map.yaml").write_text(rows)
    bench.suite('boards = ["qemu-stm32f405"]\n' + ('fixtures = ["camera"]' if "lamp" in rows else ""))
    result = bench.run()
    assert [(case.status, case.message) for case in result.cases] == [(Status.SKIPPED, words)] * 2
    assert result.exit_status == 0


def test_quarantine_keeps_a_case_from_running_until_it_is_verified(bench: Bench) -> None:
    (bench.folder / "known.yaml").write_text("- case: net0@*\n  reason: drifts since the new probe\n")
    bench.suite('quarantine = "known.yaml"')
    result = bench.run()
    assert (result.cases[0].status, result.cases[0].message) == (Status.QUARANTINED, "drifts since the new probe")
    assert result.cases[1].status is Status.PASSED
    verified = bench.run(replace(NOW, verify_quarantine=True))
    assert [case.status for case in verified.cases] == [Status.PASSED, Status.SKIPPED]


def test_packages_are_built_here_and_run_there(bench: Bench, tmp_path: Path) -> None:
    """The machine with the boards has neither models nor data."""
    setup = bench.set_up(Mode.BUILD)
    assert setup.packages is not None
    bench.run(setup=replace(setup, mode=Mode.BOTH))
    there = tmp_path / "there"
    setup.packages.rename(there)
    for model in bench.folder.glob("*.tflite"):
        model.unlink()
    result = bench.run(setup=bench.set_up(Mode.TEST, there))
    assert [case.status for case in result.cases] == [Status.PASSED] * 2
    assert {case.model for case in result.cases} == {"net0", "net1"}

    elf = next(there.glob("net0*/firmware.elf"))
    elf.write_bytes(elf.read_bytes()[:-1])
    with pytest.raises(ConfigError, match="build it again"):
        bench.set_up(Mode.TEST, there)


def test_accuracy_is_measured_on_the_board_and_held_to_the_baseline(bench: Bench) -> None:
    (bench.folder / "suite.toml").write_text('name = "s"\n[[models]]\npath = "net0.tflite"\ndata = "two"\n')
    result = bench.run()
    metrics = result.cases[0].metrics
    assert metrics is not None
    assert (metrics.images, metrics.images_identical) == (2, 2)
    assert metrics.accuracy in {0.0, 0.5, 1.0}


def test_every_board_of_a_kind_can_be_asked_for(bench: Bench) -> None:
    bench.suite("every_board = true")
    (bench.folder / "net1.tflite").unlink()
    result = bench.run()
    ids = [entry.id for entry in read_map(bench.folder / "map.yaml")]
    assert [case.case for case in result.cases] == [f"net0@qemu-stm32f405:{board}/engine" for board in ids]
    assert [case.attempts[0].entry for case in result.cases] == ids
    assert {case.status for case in result.cases} == {Status.PASSED}


def test_upstreams_runtime_is_a_case_of_its_own(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stand-in for upstream's sources adds 1 to its inputs, so its outputs are not the interpreter's."""
    (bench.folder / "net1.tflite").unlink()
    bench.suite('runtimes = ["engine", "tflm"]')
    ops = op_methods(deployable(read_tflite(small_net(0))))
    write_double(bench.folder / "tflm", ops, SIDE * SIDE, 2)
    monkeypatch.setenv("TINYNAS_TFLM", str(bench.folder / "tflm"))
    ours, upstream = bench.run().cases
    assert (ours.case, ours.status) == ("net0@qemu-stm32f405/engine", Status.PASSED)
    assert (upstream.case, upstream.status) == ("net0@qemu-stm32f405/tflm", Status.FAILED)
    assert "outputs differ" in upstream.message
    assert upstream.metrics is not None
    assert "TFLite Micro" in str(upstream.toolchain)

    monkeypatch.delenv("TINYNAS_TFLM")
    missing = bench.run().cases[1]
    assert missing.status is Status.ERROR, "the lab's trouble"
    assert "TFLite Micro's sources" in missing.message


def test_what_is_no_firmware_is_refused_at_once(bench: Bench) -> None:
    bench.suite('boards = ["host"]\nruntimes = ["tflm"]')
    with pytest.raises(ConfigError, match="tinynas time --board host --runtime tflm"):
        bench.set_up()


def test_an_interrupted_run_goes_on_where_it_was(bench: Bench) -> None:
    """Ctrl-C comes as soon as the first case is done."""
    setup = bench.set_up()
    setup = replace(setup, work=replace(setup.work, entries=setup.work.entries[:1]))

    def interrupt(case: CaseResult) -> None:
        raise KeyboardInterrupt

    with setup.open_run(fresh=False) as folder, pytest.raises(KeyboardInterrupt):
        bench.run_in(folder, setup, NOW, interrupt)
    done = folder.attempts
    assert len(done) == 1
    assert locked() == []

    with setup.open_run(fresh=False) as again:
        assert again.path == folder.path
        result = bench.run_in(again, setup, NOW)
    assert [case.status for case in result.cases] == [Status.PASSED] * 2
    assert done[0] in [attempt for case in result.cases for attempt in case.attempts]
    assert len(again.attempts) == 2
    with setup.open_run(fresh=False) as new:
        assert new.path != folder.path, "a finished run is not continued"
