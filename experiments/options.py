"""The command line that all studies share."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tinynas.pipeline.progress import PlainProgress, Progress


@dataclass(frozen=True)
class Options:
    """What the user asked for."""

    experiment: Path
    runs: Path  # where everything is kept
    seeds: tuple[int, ...]
    workers: int
    overrides: list[str]
    progress: Progress


def study_parser(description: str | None, experiment: str | None = None) -> argparse.ArgumentParser:
    """What every study takes; those of one `experiment` take another, and seeds."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder of all that is trained and measured")
    parser.add_argument("--workers", type=int, default=2, help="processes side by side, one thread each")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="as of `tinynas run`")
    if experiment:
        parser.add_argument("--experiment", type=Path, default=Path(experiment))
        parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    return parser


def as_options(args: argparse.Namespace) -> Options:
    """What a study of one experiment was asked for."""
    return Options(args.experiment, args.runs, tuple(args.seeds), args.workers, args.set, PlainProgress())


def study_options(
    description: str | None, arguments: Sequence[str] | None = None, experiment: str = "experiments/study.toml"
) -> Options:
    """The same from the command line; argparse ends the program on anything else."""
    return as_options(study_parser(description, experiment).parse_args(arguments))
