"""`tinynas mlperf`."""

from __future__ import annotations

import enum
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tinynas.cli.options import (
    BoardOption,
    FlasherOption,
    JsonOption,
    ModelArgument,
    PortOption,
    ProbeOption,
    print_json,
    progress,
    progress_console,
)
from tinynas.errors import DataError

if TYPE_CHECKING:
    from tinynas.cli.models import Model
    from tinynas.lab.board import Board
    from tinynas.lab.mlperf import Sample
    from tinynas.lab.session import BoardSession

_CLOCKS = {
    "virtual": "counted instructions / clock, not silicon's",
    "host": "this machine's clock",
    "hardware": "the board's clock",
}


class Mode(enum.StrEnum):
    """Which passes."""

    PERFORMANCE = "performance"
    ACCURACY = "accuracy"
    BOTH = "both"


def mlperf(
    model: ModelArgument,
    data: Annotated[str, typer.Argument(metavar="DATA", help="MLPerf Tiny folder, or anything `tinynas eval` takes.")],
    board: BoardOption,
    mode: Annotated[Mode, typer.Option(help="Which passes to do.")] = Mode.BOTH,
    window_s: Annotated[float, typer.Option(min=0.001, help="Length of a timed window; the rules want 10 s.")] = 10.0,
    limit: Annotated[int | None, typer.Option(min=1, help="Accuracy of the first N files.", show_default=False)] = None,
    called: Annotated[str, typer.Option("--name", help="The benchmark's name for the model, as in vww01.")] = "vww01",
    out: Annotated[Path, typer.Option("--out", "-o", help="Where `sessions` is made.")] = Path(),
    port: PortOption = None,
    flasher: FlasherOption = None,
    probe: ProbeOption = None,
    as_json: JsonOption = False,
) -> None:
    """MLPerf Tiny's passes on a board: throughput over 5 inputs, and accuracy over all of DATA.

    Each pass leaves sessions/TIME/{log.txt,results.txt,results.json}, as the benchmark's own runner does.
    """
    from tinynas.cli.models import read_model
    from tinynas.cli.options import flashing
    from tinynas.lab.board import load_board
    from tinynas.lab.session import open_board

    target, found = load_board(board), read_model(model)
    samples = _samples(found, data)
    result: dict[str, Any] = {"model": str(model), "data": data, "board": board, "name": called}
    with open_board(target, port=port, flashing=flashing(flasher, probe)) as session:
        result |= {"sha256": _flash(found, target, called, session), "serial_log": str(session.log_path)}
        if mode is not Mode.ACCURACY:
            result["performance"] = _performance(session, samples, window_s, out)
        if mode is not Mode.PERFORMANCE:
            result["accuracy"] = _accuracy(session, samples[:limit], out)
    if as_json:
        print_json(result)
    else:
        print(*_lines(result), sep="\n")


def _samples(model: Model, data: str) -> list[Sample]:
    from tinynas.cli.images import SplitName, model_split
    from tinynas.cli.mlperf_folder import is_one
    from tinynas.cli.scoring import check_labels
    from tinynas.lab.evaluate import pixels_to_int8
    from tinynas.lab.mlperf import Sample

    split = model_split(model, data, SplitName.ALL if is_one(Path(data)) else SplitName.TEST)
    check_labels(model, split)
    classes = model.graph.tensors[model.graph.outputs[0]].elements
    if classes < 2:
        raise DataError(f"{model.path}: one output; the passes want a result for each class")
    inputs = pixels_to_int8(split.images, split.labels, model.graph)
    rows = zip(split.sources, split.labels, inputs, strict=True)
    return [Sample(str(name), classes, int(label), data) for name, label, data in rows]


def _flash(model: Model, board: Board, called: str, session: BoardSession) -> str:
    from tinynas.lab.measure import build_model, flash

    with progress_console().status(f"building and flashing {board.name}"), tempfile.TemporaryDirectory() as folder:
        built = build_model(model.content, board, Path(folder), called=called)
        flash(session, built)
    return built.sha256


def _performance(session: BoardSession, samples: list[Sample], window_s: float, out: Path) -> dict[str, Any]:
    from tinynas.lab.mlperf import INPUTS, performance
    from tinynas.lab.mlperf_files import SessionFolder, performance_text

    folder = SessionFolder(out)
    folder.log(f"performance pass on {session.board.name}", f"serial log: {session.log_path}")
    with progress("timing", INPUTS) as bar:
        found = performance(session, samples, window_s, bar.show)
    clock = _CLOCKS[session.board.kind]
    folder.finish(found.windows, performance_text(found, clock), timed=True)
    return {
        "folder": str(folder.path),
        "throughput_per_s": found.per_second,
        "latency_us": found.latency_us,
        "window_s": window_s,
        "by_the_rules": found.by_the_rules,
        "time": clock,
        "iterations": [window.iterations for window in found.windows],
    }


def _accuracy(session: BoardSession, samples: list[Sample], out: Path) -> dict[str, Any]:
    from tinynas.lab.mlperf import accuracy
    from tinynas.lab.mlperf_files import SessionFolder, accuracy_text

    folder = SessionFolder(out)
    folder.log(f"accuracy pass on {session.board.name}", f"serial log: {session.log_path}")
    with progress("classifying", len(samples)) as bar:
        found = accuracy(session, samples, bar.show)
    folder.finish(found.windows, accuracy_text(found), timed=False)
    return {"folder": str(folder.path), "files": len(found.windows), "top1": found.top1, "auc": found.auc}


def _lines(result: dict[str, Any]) -> Iterator[str]:
    if timed := result.get("performance"):
        rules = "" if timed["by_the_rules"] else f" (windows of {timed['window_s']:g} s: not by the rules)"
        yield f"median throughput {timed['throughput_per_s']:.3f} inferences per second, by {timed['time']}{rules}"
        yield f"  that is {timed['latency_us']:,.1f} us each; {timed['folder']}"
    if scored := result.get("accuracy"):
        auc = "" if scored["auc"] is None else f", AUC {scored['auc']:.3f}"
        yield f"top-1 {100 * scored['top1']:.1f} % of {scored['files']:,} files{auc}; {scored['folder']}"
    yield f"serial log: {result['serial_log']}"
