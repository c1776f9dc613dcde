"""Results as a run would give them, without running anything."""

from __future__ import annotations

from pathlib import Path

from tinynas.lab.regression.attempt import Attempt, Metrics, Status
from tinynas.lab.regression.baseline import Toolchain
from tinynas.lab.regression.package import Package
from tinynas.lab.regression.result import BoardUsed, CaseResult, RunResult, Surroundings

GCC = Toolchain(compiler="gcc 12.2", emulator="7.2")


def metrics(latency_us: float = 5.0, **changes: object) -> Metrics:
    return Metrics(
        latency_us=latency_us,
        instructions=1000,
        peak_sram_bytes=2048,
        flash_bytes=4096,
        output_sha256="ab" * 32,
        bit_exact=True,
    ).model_copy(update=changes)


def attempt(number: int = 1, status: Status = Status.PASSED, message: str = "") -> Attempt:
    found = metrics() if status is not Status.ERROR else None
    return Attempt(
        case="m@b/engine",
        number=number,
        entry="b-1",
        status=status,
        message=message,
        metrics=found,
        flashed=True,
        seconds=0.5,
        folder=Path("cases") / "m" / f"attempt-{number}",
    )


def case_result(*attempts: Attempt, latency_us: float = 5.0, **changes: object) -> CaseResult:
    """With one attempt that passed, unless others are given."""
    tried = attempts or (attempt(),)
    package = Package(
        model="m",
        model_sha256="11" * 32,
        board="b",
        kind="virtual",
        runtime="engine",
        tinynas="0.1",
        toolchain=GCC.compiler,
        firmware_hash="22" * 32,
        image_sha256="33" * 32,
        flash_bytes=4096,
        statics_bytes=24,
        arena_bytes=1000,
        macs=10,
        images=0,
    )
    return CaseResult(
        case="m@b/engine",
        model="m",
        board="b",
        runtime="engine",
        status=tried[-1].status,
        message=tried[-1].message,
        flaky=len(tried) > 1 and tried[-1].status is Status.PASSED,
        attempts=tried,
        package=package,
        toolchain=GCC,
        metrics=metrics(latency_us),
    ).model_copy(update=changes)


def run_result(run: str = "20260101T000000", *cases: CaseResult, latency_us: float = 5.0) -> RunResult:
    day = f"{run[:4]}-{run[4:6]}-{run[6:8]}T{run[9:11]}:{run[11:13]}:{run[13:15]}+00:00"
    about = Surroundings(
        tinynas="0.1",
        python="3.11",
        host="bench1",
        machine="Linux",
        git_commit="cafe" * 10,
        git_dirty=True,
        emulator="7.2",
    )
    boards = (BoardUsed(id="b-1", board="b", serial="066E38", seconds=1.0),)
    found = cases or (case_result(latency_us=latency_us),)
    return RunResult(suite="s", run=run, started=day, seconds=2.0, surroundings=about, boards=boards, cases=found)
