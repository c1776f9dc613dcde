"""`tinynas lab run`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinynas.cli.lab_bench import MAP, MapOption
from tinynas.cli.options import Bar, JsonOption, progress

if TYPE_CHECKING:
    from tinynas.lab.regression.package import Labelled
    from tinynas.lab.regression.result import CaseResult, RunResult
    from tinynas.lab.regression.setup import Setup
    from tinynas.lab.regression.suite import SuiteModel
    from tinynas.lab.regression.work import Options

SuiteArgument = Annotated[Path, typer.Argument(metavar="SUITE.toml", help="Suite file.", show_default=False)]
OutOption = Annotated[
    Path | None, typer.Option("--out", help="Where runs go; default: runs/lab/SUITE.", show_default=False)
]
StoreOption = Annotated[
    str, typer.Option("--store", envvar="TINYNAS_STORE", help="Measurement store: SQLite file, or a database URL.")
]
STORE = "runs/measurements.db"


def run(
    suite: SuiteArgument,
    map_path: MapOption = MAP,
    out: OutOption = None,
    build_only: Annotated[bool, typer.Option("--build-only", help="Build packages; needs no board.")] = False,
    test_only: Annotated[bool, typer.Option("--test-only", help="Run packages that were built before.")] = False,
    packages: Annotated[
        Path | None,
        typer.Option(help="Folder of packages for these two; default: OUT/packages.", show_default=False),
    ] = None,
    retries: Annotated[int, typer.Option("--retry-failed", min=0, help="More attempts at what does not pass.")] = 0,
    retry_interval_s: Annotated[float, typer.Option("--retry-interval", min=0, help="Seconds before each.")] = 60.0,
    verify: Annotated[bool, typer.Option("--quarantine-verify", help="Run only what is in quarantine.")] = False,
    wait_s: Annotated[float, typer.Option("--wait", min=0, help="Seconds to wait for boards in use.")] = 3600.0,
    token: Annotated[
        str | None, typer.Option(envvar="TINYNAS_TOKEN", help="Of your reservation.", show_default=False)
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Builds at a time.")] = 2,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML here.", show_default=False)] = None,
    store: StoreOption = STORE,
    fresh: Annotated[bool, typer.Option("--fresh", help="Do not continue an interrupted run.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Run every model of SUITE on its boards, in parallel over those that are free, and compare with the baseline.

    Exit status: 0 all well; 1 a model failed or got worse; 2 something you can mend; 3 the lab failed (boards, tools).
    Interrupted by Ctrl-C or a crash, the same command goes on where it was.
    """
    from tinynas.errors import ConfigError
    from tinynas.lab.regression.setup import Mode, set_up
    from tinynas.lab.regression.work import Options

    if build_only and test_only:
        raise ConfigError("--build-only and --test-only exclude each other; give one, or neither for both steps")
    mode = Mode.BUILD if build_only else Mode.TEST if test_only else Mode.BOTH
    setup = set_up(suite, map_path, out, packages, mode)
    if build_only:
        _build(setup, jobs)
        return
    result = _test(setup, Options(retries, retry_interval_s, wait_s, token, verify), jobs, fresh)
    _keep(setup, result, junit, store)
    print(result.model_dump_json(indent=1) if as_json else "\n".join(_lines(setup, result, verify)))
    if status := _exit_status(result, verify):
        raise typer.Exit(status)


def _build(setup: Setup, jobs: int) -> None:
    """All packages; a failure is told at the end, when the others are there."""
    from tinynas.errors import TinyNasError
    from tinynas.lab.regression.building import Builder, build_all

    assert setup.packages is not None
    with (
        Builder(setup.packages, setup.models, load_labelled, jobs, reuse=False) as builder,
        progress("building", len({case.package for case in setup.work.cases})) as bar,
    ):
        built = build_all(builder, setup.work.cases, lambda: bar.advance(1))
    failures = [one.result for one in built if isinstance(one.result, TinyNasError)]
    print(f"{len(built) - len(failures)} of {len(built)} packages built in {setup.packages}")
    if failures:
        raise failures[0]


def _test(setup: Setup, options: Options, jobs: int, fresh: bool) -> RunResult:
    from tinynas.lab.regression.building import Builder
    from tinynas.lab.regression.runner import run_suite
    from tinynas.lab.regression.work import Events

    with setup.open_run(fresh=fresh) as folder:
        if done := len(folder.attempts):
            print(f"tinynas: going on with {folder.path}: {done} attempts are done", file=sys.stderr)
        with (
            Builder(setup.package_root(folder), setup.models, load_labelled, jobs, reuse=True) as builder,
            progress(f"suite {setup.work.suite.name}", len(setup.work.cases)) as bar,
        ):
            events = Events(lambda case, done, total: _show(bar, case, done, total), _say)
            return run_suite(setup.work, folder, builder, options, events)


def _show(bar: Bar, case: CaseResult, done: int, total: int) -> None:
    bar.show(done, total)
    if not sys.stderr.isatty():
        _say(f"{done}/{total} {case.case}: {case.status}{f' ({case.message})' if case.message else ''}")


def _say(line: str) -> None:
    print(f"tinynas: {line}", file=sys.stderr, flush=True)


def _keep(setup: Setup, result: RunResult, junit: Path | None, store: str) -> None:
    from tinynas.lab.files import write_whole
    from tinynas.lab.regression.history import History
    from tinynas.lab.regression.junit import junit_xml

    if junit is not None:
        write_whole(junit, junit_xml(result))
    history = History(store)
    try:
        history.add(result)
    finally:
        history.close()


def _lines(setup: Setup, result: RunResult, verify: bool) -> list[str]:
    from tinynas.report.lab_text import result_lines

    return [*result_lines(result, verify), f"results: {setup.root / result.run / 'results.json'}"]


def _exit_status(result: RunResult, verify: bool) -> int:
    """With --quarantine-verify: 1 if the list is out of date, as something on it passes."""
    from tinynas.lab.regression.attempt import Status

    return int(result.count(Status.PASSED) > 0) if verify else result.exit_status


def load_labelled(model: SuiteModel) -> Labelled:
    """The labelled images of a suite's model, as `tinynas eval` takes them."""
    from tinynas.cli.images import SplitName, model_split
    from tinynas.cli.models import read_model
    from tinynas.cli.scoring import check_labels
    from tinynas.lab.regression.package import Labelled

    found = read_model(model.path)
    assert model.spec.data is not None
    split = model_split(found, model.spec.data, SplitName(model.spec.split))
    if model.spec.limit is not None:
        split = split.head(model.spec.limit)
    check_labels(found, split)
    return Labelled(split.images, split.labels)
