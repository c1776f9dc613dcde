"""The main job: an experiment to a run folder, stage by stage. Run again, it goes on where it was stopped."""

from __future__ import annotations

import errno
import fcntl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tinynas.errors import StoreError
from tinynas.lab.board import load_board
from tinynas.lab.runtime_size import runtime_size
from tinynas.lab.session import open_board
from tinynas.pipeline.config import Experiment, experiment_text, load_experiment
from tinynas.pipeline.context import Context, cores
from tinynas.pipeline.digest import digest
from tinynas.pipeline.files import write_bytes
from tinynas.pipeline.finish import Stages, finish
from tinynas.pipeline.log import LoggedProgress, RunLog
from tinynas.pipeline.ofa_run import run_ofa_stages
from tinynas.pipeline.progress import Progress, Silent
from tinynas.pipeline.stage_store import StageStore
from tinynas.pipeline.stages.baselines import train_baselines
from tinynas.pipeline.stages.data import load_data
from tinynas.pipeline.stages.finetune import finetune_front
from tinynas.pipeline.stages.library import load_library, make_library
from tinynas.pipeline.stages.ofa_latency import load_latency_table, make_latency_table
from tinynas.pipeline.stages.predictor import fit_predictor, load_predictor, open_features
from tinynas.pipeline.stages.reference import load_reference, train_reference
from tinynas.pipeline.stages.search import run_search
from tinynas.pipeline.stages.space import find_space

_MOST_WORKERS = 8
_MOST_THREADS = 4  # these networks are too small for more
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


def run_experiment(
    path: Path,
    overrides: Sequence[str] = (),
    progress: Progress | None = None,
    *,
    runs: Path = Path("runs"),
    measurements: str | None = None,
    workers: int | None = None,
    port: str | None = None,
) -> Path:
    """Run the experiment in `path`, with `--set` overrides, or continue it; returns its folder, `runs`/<name>.

    Measurements go to the store at the URL `measurements`, by default `runs`/measurements.db. `workers` processes
    train or measure side by side, by default as many as there are cores. A real board is at the serial `port`, or found
    by its USB identity; it measures alone.

    Raises:
        TinyNasError: whatever the user can mend; finished work is kept, and the same command goes on.
    """
    experiment = load_experiment(path, overrides)
    folder = runs / experiment.name
    with _disk_errors(folder), _alone_in(folder):
        settings = experiment.model_dump(mode="json")
        write_bytes(folder / "experiment.toml", experiment_text(experiment).encode())
        log = RunLog(folder / "log.jsonl", digest(settings))
        log.write("start", file=str(path), overrides=list(overrides))
        logged = LoggedProgress(progress or Silent(), log)
        context = open_context(experiment, folder, logged, measurements, workers, port)
        finish(context, log, _run_stages(context))
    return folder


def open_context(
    experiment: Experiment,
    folder: Path,
    progress: Progress,
    measurements: str | None = None,
    workers: int | None = None,
    port: str | None = None,
) -> Context:
    """What the stages of `experiment` work with; their outputs are kept beside `folder`."""
    return Context(
        experiment=experiment,
        board=load_board(experiment.board),
        folder=folder,
        store=StageStore(folder.parent / ".stages"),
        measurements=measurements or f"sqlite:///{folder.parent / 'measurements.db'}",
        progress=progress,
        workers=workers or min(cores(), _MOST_WORKERS),
        threads=min(cores(), _MOST_THREADS),
        port=port or experiment.port,
    )


def _run_stages(context: Context) -> Stages:
    """Every stage up to trained networks."""
    runtime = runtime_size(context.board)  # first, like the board: a missing tool shows before minutes of training
    with open_board(context.board, port=context.port):
        pass
    if context.experiment.method == "ofa":
        return run_ofa_stages(context, runtime)
    data = load_data(context)
    space = find_space(context, data, runtime)
    reference = train_reference(context, data, space)
    network = load_reference(reference)
    made = make_library(context, data, space, reference)
    library = load_library(made, space, network)
    features = open_features(context, library, made, reference)
    fitted = fit_predictor(context, features, made, reference)
    predictor = load_predictor(fitted)
    upstream, table = {"library": made.digest, "predictor": fitted.digest}, None
    if context.experiment.search.latency == "blocks":
        measured = make_latency_table(context, data, space, runtime)
        upstream["latency_table"], table = measured.digest, load_latency_table(measured)
    found = run_search(context, data, features, predictor, runtime, upstream, table)
    front = finetune_front(context, library, found, reference)
    baselines = train_baselines(context, data)
    return Stages(data, runtime, space, reference, fitted, predictor, found, front, baselines, made)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Hold the run's folder; the system lets go of it when this process ends, however that happens."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StoreError(
                f"{folder}: another `tinynas run` is at work there; wait for it, or set another name (--set name=...)"
            ) from error
        yield


@contextmanager
def _disk_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in _DISK_FULL:
            raise
        where = error.filename or folder
        raise StoreError(
            f"{where}: the disk is full; free some space and run the same command again: finished work is kept"
        ) from error
