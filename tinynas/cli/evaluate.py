"""`tinynas eval`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tinynas.cli.images import SplitName
from tinynas.cli.options import JsonOption, ModelArgument, PortOption, print_json, progress

if TYPE_CHECKING:
    from tinynas.cli.models import Model
    from tinynas.cli.scoring import Score
    from tinynas.data.types import Split


def evaluate(
    model: ModelArgument,
    data: Annotated[
        str,
        typer.Option(
            help="Data set name, image folder or zip, COCO or MLPerf Tiny folder, or .toml.", show_default=False
        ),
    ],
    board: Annotated[
        str | None,
        typer.Option("--board", "-b", help="Run on this board; default: the interpreter here.", show_default=False),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N images.", show_default=False)] = None,
    split: Annotated[SplitName, typer.Option(help="`all` for a folder that is a test set already.")] = SplitName.TEST,
    port: PortOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure MODEL's accuracy on labelled images, on this machine or on a board.

    With a board, every output is compared with the TFLite Micro interpreter's on this machine.
    """
    from tinynas.cli.images import model_split
    from tinynas.cli.models import read_model

    found = read_model(model)
    images = model_split(found, data, split)
    score = _score(found, images if limit is None else images.head(limit), board, port)
    if as_json:
        print_json({"model": str(model), "data": data, "split": split.value, "board": board, **score.as_json()})
    else:
        print(*score.lines(), sep="\n")


def _score(model: Model, images: Split, board: str | None, port: str | None) -> Score:
    from tinynas.cli.scoring import score_on_board, score_on_host
    from tinynas.lab.board import load_board

    target = None if board is None else load_board(board)
    with progress("evaluating", len(images)) as bar:
        if target is None:
            return score_on_host(model, images, bar.show)
        return score_on_board(model, target, images, bar.show, port)
