"""`tinynas space`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tinynas.cli.options import (
    ExperimentArgument,
    JsonOption,
    OtherBoardOption,
    SetOption,
    overrides,
    print_json,
    progress,
)

if TYPE_CHECKING:
    from rich.table import Table

    from tinynas.report.space_page import Trial
    from tinynas.space.choose import SpaceStatistics
    from tinynas.space.space import SearchSpace

_SHOWN = 15  # spaces


def space(
    experiment: ExperimentArgument,
    board: OtherBoardOption = None,
    samples: Annotated[int, typer.Option(min=1, help="Networks drawn per resolution and width.")] = 1000,
    resolutions: Annotated[
        str | None,
        typer.Option(help="Compare these instead, e.g. 48,64,96 or 48:224:16 (to 224, 16 apart).", show_default=False),
    ] = None,
    widths: Annotated[
        str | None, typer.Option(help="Compare these instead, e.g. 0.5,1 or 0.2:1:0.1.", show_default=False)
    ] = None,
    keep: Annotated[
        int | None, typer.Option(min=1, help="Resolutions to recommend; default: the experiment's.", show_default=False)
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Processes; default: one per core.", show_default=False)
    ] = None,
    settings: SetOption = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder for space.html and space.json; default: runs/NAME-space."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Which input resolution and width suit a board? TinyNAS's choice (arXiv 2007.10319), without any training.

    Of each pair, networks are drawn and planned exactly; of those that fit, the more MACs they have on average, the
    better the space. The board's compiler is asked once for the kernels' code sizes.

    Example, the paper's 108 spaces:  tinynas space experiments/vww.toml --resolutions 48:224:16 --widths 0.2:1:0.1
    """
    trial = _compare(experiment, overrides(settings, board), (resolutions, widths), samples, keep, jobs)
    page = _write(trial, output or Path("runs") / f"{trial.name}-space")
    if as_json:
        print_json(_json(trial))
        return
    _show(trial)
    print(f"{len(trial.ranking)} spaces of {samples} networks in {trial.wall_s:.0f} s; curves: {page}")


def _compare(
    path: Path,
    changes: list[str],
    grid: tuple[str | None, str | None],
    samples: int,
    keep: int | None,
    jobs: int | None,
) -> Trial:
    from tinynas.data.load import class_names
    from tinynas.lab.board import load_board
    from tinynas.lab.runtime_size import runtime_size
    from tinynas.pipeline.config import load_experiment
    from tinynas.pipeline.context import cores
    from tinynas.pipeline.digest import derive_seed
    from tinynas.report.space_page import Trial
    from tinynas.space.choose import choose_space
    from tinynas.space.cost import CandidateCost

    loaded = load_experiment(path, changes)
    classes = len(class_names(loaded.data))
    offered = _offered(loaded.space.with_changes(channels=loaded.data.channels, classes=classes), *grid)
    target = load_board(loaded.board)
    cost = CandidateCost(offered, target, runtime_size(target), loaded.budget)
    began = time.monotonic()
    with progress("spaces compared", len(offered.resolutions) * len(offered.widths)) as bar:
        choice = choose_space(
            offered,
            cost,
            derive_seed(loaded.seed, "space"),
            samples=samples,
            resolutions=keep or loaded.space_choice.resolutions,
            jobs=jobs or cores(),
            on_space=lambda _: bar.advance(1),
        )
    limits = cost.batch([offered.smallest()])
    words = f"{limits.sram_limit_bytes:,} B of SRAM and {limits.flash_limit_bytes:,} B of flash"
    kept = choice.space.resolutions
    return Trial(loaded.name, target.name, words, choice.ranking, kept, time.monotonic() - began)


def _offered(space: SearchSpace, resolutions: str | None, widths: str | None) -> SearchSpace:
    """`space` with the resolutions and widths of the command line, in any order."""
    from pydantic import ValidationError

    from tinynas.errors import ConfigError

    changes = {
        **({} if resolutions is None else {"resolutions": sorted({round(value) for value in _numbers(resolutions)})}),
        **({} if widths is None else {"widths": sorted(set(_numbers(widths)))}),
    }
    try:
        return space.with_changes(**changes)
    except ValidationError as error:
        first = error.errors()[0]
        given = resolutions if first["loc"][0] == "resolutions" else widths
        raise ConfigError(f"--{first['loc'][0]} {given}: {first['msg']}, found {first['input']}") from error


def _numbers(text: str) -> list[float]:
    """The numbers of "a,b,c" or "first:last:step"."""
    from tinynas.errors import ConfigError

    try:
        if ":" not in text:
            return [float(part) for part in text.split(",")]
        first, last, step = (float(part) for part in text.split(":"))
        return [round(first + k * step, 9) for k in range(int((last - first) / step + 1e-9) + 1)]
    except (ValueError, ZeroDivisionError) as error:
        raise ConfigError(f"{text!r} is no list of numbers; write 48,64,96 or first:last:step as 48:224:16") from error


def _write(trial: Trial, folder: Path) -> Path:
    """Both files; returns the page."""
    from tinynas.pipeline.files import write_json
    from tinynas.report.space_page import write_space_page

    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "space.json", _json(trial))
    write_space_page(trial, folder / "space.html")
    return folder / "space.html"


def _show(trial: Trial) -> None:
    from rich.console import Console

    Console().print(_table(trial))
    kept = ", ".join(map(str, trial.kept))
    print(f"width {trial.ranking[0].width:g} at {kept} px: most MACs that fit {trial.limits}")


def _table(trial: Trial) -> Table:
    from rich.table import Table

    table = Table(title=f"{trial.name} on {trial.board}", caption=_caption(trial))
    for name in ("rank", "resolution", "width", "fit", "mean MACs", "top 20 % MACs"):
        table.add_column(name, justify="right")
    for place, statistics in enumerate(trial.ranking[:_SHOWN], 1):
        style = "bold" if place == 1 else None if statistics.trusted else "dim"
        table.add_row(str(place), *_cells(statistics), style=style)
    return table


def _cells(statistics: SpaceStatistics) -> tuple[str, ...]:
    share = f"{statistics.survivor_fraction:.1%}" + ("" if statistics.trusted else " (too few)")
    macs = (f"{value / 1e6:.2f} M" for value in (statistics.mean_macs, statistics.top20_macs))
    return (f"{statistics.resolution} px", f"{statistics.width:g}", share, *macs)


def _caption(trial: Trial) -> str | None:
    left = len(trial.ranking) - _SHOWN
    return f"{left} more in space.html" if left > 0 else None


def _json(trial: Trial) -> dict[str, Any]:
    ranking = [
        {
            "resolution": statistics.resolution,
            "width": statistics.width,
            "samples": statistics.samples,
            "survivors": statistics.survivors,
            "survivor_fraction": statistics.survivor_fraction,
            "trusted": statistics.trusted,
            "mean_macs": statistics.mean_macs,
            "top20_macs": statistics.top20_macs,
        }
        for statistics in trial.ranking
    ]
    chosen = {"width": trial.ranking[0].width, "resolutions": list(trial.kept)}
    return {"name": trial.name, "board": trial.board, "wall_s": trial.wall_s, "chosen": chosen, "ranking": ranking}
