"""`python -m bench.lab`: pairs of model and board per minute, over a lab of virtual boards and one by one.

One by one is the same work without the lab: each model in turn is built, flashed, checked and timed, on boards and an
interpreter that stay open. The lab's figure includes all that the lab adds: processes, locks, logs, results.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

import tinynas
from bench.twins import twin
from tinynas.errors import TinyNasError
from tinynas.graph.tflm import TflmWorker
from tinynas.lab.board import load_board
from tinynas.lab.build import firmware
from tinynas.lab.hwmap import add_virtual
from tinynas.lab.measure import measure
from tinynas.lab.regression.attempt import Status
from tinynas.lab.regression.building import Builder
from tinynas.lab.regression.package import Labelled
from tinynas.lab.regression.runner import run_suite
from tinynas.lab.regression.setup import Mode, set_up
from tinynas.lab.regression.suite import SuiteModel
from tinynas.lab.regression.work import Events, Options
from tinynas.lab.runtime_size import runtime_size
from tinynas.lab.session import open_board

KINDS = ("qemu-stm32f405", "qemu-mps2-an386")
REPEATS = 1  # counts are the same every time


def main(
    pairs: Annotated[int, typer.Option(min=2, help="Pairs of model and board; an even number.")] = 50,
    boards: Annotated[int, typer.Option(min=2, help="Virtual boards of the lab.")] = 4,
    model: Annotated[str, typer.Option(help="Twin (bench/twins.py), with other weights for each pair.")] = "kws",
    rounds: Annotated[int, typer.Option(min=1, help="Both ways in turn, so often; the best of each counts.")] = 1,
    jobs: Annotated[int, typer.Option(min=1, help="Builds at a time in the lab.")] = 2,
    out: Annotated[Path, typer.Option(help="Figures.")] = Path("build/bench-lab.json"),
) -> None:
    """Run PAIRS pairs over a lab of BOARDS virtual boards, and one by one; print how many per minute."""
    models = [twin(model, seed) for seed in range(pairs // len(KINDS))]
    for kind in KINDS:
        runtime_size(load_board(kind))  # engine and runner are compiled before the clock starts
        firmware(load_board(kind))
    found = [(_lab_s(models, boards, jobs), _one_by_one_s(models)) for _ in range(rounds)]
    lab_s, one_by_one_s = (min(seconds) for seconds in zip(*found, strict=True))
    count = len(models) * len(KINDS)
    figures = {
        "pairs": count,
        "boards": boards,
        "lab_per_minute": round(count / lab_s * 60, 1),
        "one_by_one_per_minute": round(count / one_by_one_s * 60, 1),
        "times_faster": round(one_by_one_s / lab_s, 2),
        "cores": os.cpu_count(),
        "load_before": os.getloadavg()[0],
        "tinynas": tinynas.__version__,
        "machine": platform.platform(),
        "utc": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(figures, indent=1) + "\n")
    print(json.dumps(figures, indent=1))


def _lab_s(models: list[bytes], boards: int, jobs: int) -> float:
    """Seconds that the lab takes."""
    with tempfile.TemporaryDirectory(prefix="tinynas-bench-") as name:
        folder = Path(name)
        for seed, content in enumerate(models):
            (folder / f"net{seed}.tflite").write_bytes(content)
        kinds = ", ".join(f'"{kind}"' for kind in KINDS)
        text = f'name = "bench"\nboards = [{kinds}]\nrepeats = {REPEATS}\n[[models]]\npath = "*.tflite"\n'
        (folder / "suite.toml").write_text(text)
        add_virtual(folder / "map.yaml", [KINDS[k % len(KINDS)] for k in range(boards)])
        setup = set_up(folder / "suite.toml", folder / "map.yaml", folder / "runs", None, Mode.BOTH)
        start_s = time.perf_counter()
        with (
            setup.open_run(fresh=True) as run,
            Builder(setup.package_root(run), setup.models, _no_images, jobs, reuse=False) as builder,
        ):
            events = Events(lambda case, done, total: None, lambda line: print(line, file=sys.stderr))
            result = run_suite(setup.work, run, builder, Options(), events)
        seconds = time.perf_counter() - start_s
    if result.count(Status.PASSED) != len(result.cases):
        raise TinyNasError(f"{len(result.cases) - result.count(Status.PASSED)} pairs did not pass: no figure")
    return seconds


def _one_by_one_s(models: list[bytes]) -> float:
    """Seconds that the same pairs take one after the other."""
    start_s = time.perf_counter()
    with ExitStack() as stack:
        interpreter = stack.enter_context(TflmWorker())
        sessions = [stack.enter_context(open_board(load_board(kind))) for kind in KINDS]
        for content in models:
            for session in sessions:
                measure(content, session.board, session=session, repeats=REPEATS, interpreter=interpreter)
    return time.perf_counter() - start_s


def _no_images(model: SuiteModel) -> Labelled:
    raise TinyNasError(f"{model.name}: the benchmark has no images")


if __name__ == "__main__":
    try:
        typer.run(main)
    except TinyNasError as error:
        print(f"bench: {error}", file=sys.stderr)
        sys.exit(2)
