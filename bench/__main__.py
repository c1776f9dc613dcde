"""`python -m bench`: the engine's figures on the virtual boards beside recorded ones of other engines."""

from __future__ import annotations

import json
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress

import tinynas
from bench.measuring import BoardResult, Row, find_models, measure_boards
from bench.tables import LEGEND, markdown, terminal_table
from tinynas.errors import TinyNasError
from tinynas.lab.board import Board, load_board

BOARDS = ("qemu-mps2-an386", "qemu-mps2-an500", "qemu-mps3-an547")
WIDE = 150  # columns where the output is no terminal, so that no figure is cut


def main(
    models: Annotated[Path | None, typer.Option(help="Folder of int8 .tflite files; default: self-made twins.")] = None,
    board: Annotated[list[str] | None, typer.Option(help="Boards to measure on; default: M4, M7 and M55.")] = None,
    out: Annotated[Path, typer.Option(help="Raw figures; the tables go beside it as .md.")] = Path("build/bench.json"),
    inputs: Annotated[int, typer.Option(min=1, help="Seeded inputs that outputs are compared on.")] = 20,
    jobs: Annotated[int, typer.Option(min=1, help="Boards measured at a time.")] = 2,
) -> None:
    """Measure instructions, estimated cycles, memory and bit-exactness of every model on every board."""
    boards = [load_board(name) for name in board or BOARDS]
    found = find_models(models)
    results = _with_bars(found, boards, inputs, jobs)
    _save(results, out)
    _print(results, out)
    if not all(row.identical == row.inputs for result in results for row in result.rows.values()):
        raise typer.Exit(1)


def _with_bars(models: dict[str, bytes], boards: list[Board], inputs: int, jobs: int) -> list[BoardResult]:
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bars:
        tasks = {board.name: bars.add_task(board.name, total=len(models)) for board in boards}
        return measure_boards(models, boards, inputs, jobs, lambda name: bars.advance(tasks[name]))


def _save(results: list[BoardResult], out: Path) -> None:
    rows = [_json(row) for result in results for row in result.rows.values()]
    stamp = {"tinynas": tinynas.__version__, "machine": platform.platform(), "utc": datetime.now(UTC).isoformat()}
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps({**stamp, "figures": rows}, indent=1) + "\n")
    out.with_suffix(".md").write_text(markdown(results))


def _json(row: Row) -> dict[str, Any]:
    return {**row.measured.model_dump(), "inputs": row.inputs, "inputs_identical": row.identical}


def _print(results: list[BoardResult], out: Path) -> None:
    console = Console(width=None if sys.stdout.isatty() else WIDE)
    for result in results:
        console.print(terminal_table(result))
        for name, reason in result.left_out.items():
            console.print(f"{name} left out: {reason}", style="yellow", markup=False)
    console.print(LEGEND, style="dim")
    console.print(f"raw figures: {out}, tables: {out.with_suffix('.md')}")


if __name__ == "__main__":
    try:
        typer.run(main)
    except TinyNasError as error:
        print(f"bench: {error}", file=sys.stderr)
        sys.exit(2)
