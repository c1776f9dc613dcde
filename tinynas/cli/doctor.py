"""`tinynas doctor`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from tinynas.cli.options import JsonOption, print_json

if TYPE_CHECKING:
    from rich.table import Table

    from tinynas.cli.machine import Check

MARKS = {"ok": "[green]ok[/]", "missing": "[bold red]missing[/]", "warning": "[yellow]note[/]", "info": "[dim]info[/]"}


def doctor(
    fix: Annotated[
        bool, typer.Option("--fix", help="Install what is missing: apt-get (root or sudo), PlatformIO's core.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show what this machine has: packages, compilers, emulators, boards attached; and how to get the rest.

    Exit status 1 if something that every run needs is missing.
    """
    from tinynas.cli.install import install
    from tinynas.cli.machine import inspect_machine, missing_packages
    from tinynas.lab.platformio_core import prepare_if_installed

    checks = inspect_machine()
    if fix:
        if packages := missing_packages(checks):
            install(packages)
        prepare_if_installed()
        checks = inspect_machine()
    _show(checks, as_json)
    if any(check.status == "missing" for check in checks):
        raise typer.Exit(1)


def _show(checks: list[Check], as_json: bool) -> None:
    if as_json:
        print_json([asdict(check) for check in checks])
        return
    from rich.console import Console

    from tinynas.cli.machine import missing_packages

    Console().print(_table(checks))
    if packages := missing_packages(checks):
        print(f"To install what is missing: tinynas doctor --fix   or   apt-get install {' '.join(packages)}")


def _table(checks: list[Check]) -> Table:
    from rich.markup import escape
    from rich.table import Table

    table = Table("", "", "found", "how to get it", box=None, padding=(0, 1))
    for check in checks:
        way = check.advice or (f"apt-get install {' '.join(check.apt)}" if check.status == "missing" else "")
        table.add_row(MARKS[check.status], escape(check.name), escape(check.found), escape(way))
    return table
