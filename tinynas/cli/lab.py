"""`tinynas lab`: a bench of boards, as a regression test."""

from __future__ import annotations

import typer

from tinynas.cli import lab_baseline, lab_bench, lab_report, lab_run

app = typer.Typer(
    help="A bench of boards: map, reservations, regression runs. Guide: docs/lab.md",
    no_args_is_help=True,
    rich_markup_mode="rich",
    epilog="Start with: tinynas lab scan -o map.yaml; tinynas lab run suite.toml",
)

COMMANDS = (  # name, function, example
    ("scan", lab_bench.scan, "tinynas lab scan -o map.yaml   or, without hardware: tinynas lab scan --virtual 4"),
    ("who", lab_bench.who, "tinynas lab who --map map.yaml"),
    ("reserve", lab_bench.reserve, "tinynas lab reserve --board nucleo-f401re --wait 600 --for 30"),
    ("release", lab_bench.release, "tinynas lab release 5f1c0a7e92d3b684"),
    ("run", lab_run.run, "tinynas lab run nightly.toml --map map.yaml --retry-failed 2 --junit junit.xml"),
    ("report", lab_report.report, "tinynas lab report nightly.toml -o history.html"),
)
for name, function, example in COMMANDS:
    app.command(name, epilog=f"Example: {example}")(function)

baseline = typer.Typer(help="The figures that a suite is held to.", no_args_is_help=True)
baseline.command("update", epilog="Example: tinynas lab baseline update nightly.toml")(lab_baseline.update)
app.add_typer(baseline, name="baseline")
