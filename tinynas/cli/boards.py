"""`tinynas boards`, and the group of commands under it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from tinynas.cli import boards_detect, boards_new
from tinynas.cli.options import JsonOption, print_json

if TYPE_CHECKING:
    from rich.table import Table

    from tinynas.lab.board import Board


_WIDE = 120  # columns that leave room for titles
EXAMPLE = "tinynas boards --json"
app = typer.Typer(invoke_without_command=True, epilog=f"Example: {EXAMPLE}")
COMMANDS = (  # name, function, example
    ("detect", boards_detect.detect, "tinynas boards detect --json"),
    ("new", boards_new.new, "tinynas boards new nucleo_f746zg --like nucleo-f746zg --name my-board -o my-board.toml"),
)
for name, function, example in COMMANDS:
    app.command(name, epilog=f"Example: {example}")(function)


@app.callback()
def boards(context: typer.Context, as_json: JsonOption = False) -> None:
    """List the known boards: core, clock, memory, how they run. `detect` finds attached ones."""
    if context.invoked_subcommand is None:
        _list(as_json)


def _list(as_json: bool) -> None:
    from tinynas.lab.board import Board, known_boards

    known = [Board.load(path) for path in known_boards().values()]
    if as_json:
        print_json([board.model_dump(mode="json") for board in known])
        return
    from rich.console import Console

    console = Console()
    console.print(_table(known, titles=console.width >= _WIDE))


def _table(known: list[Board], titles: bool) -> Table:
    from rich.table import Table

    table = Table(box=None, padding=(0, 1), caption="A path to your own board file works wherever a name does.")
    for header in ("name", "kind", "core"):
        table.add_column(header, no_wrap=True)
    for header in ("MHz", "SRAM KiB", "flash KiB"):
        table.add_column(header, justify="right", no_wrap=True)
    if titles:
        table.add_column("what it is", overflow="fold")
    for board in known:
        table.add_row(*_row(board), *([board.title] if titles else []))
    return table


def _row(board: Board) -> tuple[str, ...]:
    sizes = (f"{region.size_bytes / 1024:,.0f}" for region in (board.sram, board.flash))
    return (board.name, board.kind, board.core.value, f"{board.clock_hz / 1e6:g}", *sizes)
