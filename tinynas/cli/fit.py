"""`tinynas fit`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from tinynas.cli.options import BoardOption, JsonOption, ModelArgument, print_json

if TYPE_CHECKING:
    from tinynas.plan.fit import Fit
    from tinynas.plan.flash import FlashParts
    from tinynas.plan.plan import Plan


def fit(model: ModelArgument, board: BoardOption, as_json: JsonOption = False) -> None:
    """Show the memory map of MODEL on a board, without building it.

    Exit status 1, and the overflow in bytes, if it does not fit.
    """
    from tinynas.cli.models import read_model
    from tinynas.lab.board import load_board
    from tinynas.lab.runtime_size import runtime_size
    from tinynas.plan.fit import fit as fit_plan
    from tinynas.plan.flash import flash_parts
    from tinynas.plan.planner import plan as make_plan

    target = load_board(board)
    planned = make_plan(read_model(model).graph, target.core)
    runtime = runtime_size(target)
    result, flash = fit_plan(planned, target, runtime), flash_parts(planned, runtime)
    if as_json:
        print_json(_json(model, board, planned, result, flash))
    else:
        _print_map(model, target.title, planned, result, flash)
    if not result.fits:
        raise typer.Exit(1)


def _json(model: Path, board: str, plan: Plan, fit: Fit, flash: FlashParts) -> dict[str, Any]:
    from tinynas.report.memory_text import alive_at, peak_step

    peak = [asdict(tensor) for tensor in alive_at(plan, peak_step(plan))] if plan.steps else []
    facts = {"model": str(model), "board": board, **asdict(fit)}
    return {
        **facts,
        "const_bytes": plan.const_bytes,
        "layered_arena_bytes": plan.layered_arena_bytes,
        "lower_bound_bytes": plan.lower_bound_bytes,
        "flash": asdict(flash),
        "macs": plan.macs,
        "peak": peak,
    }


def _print_map(model: Path, title: str, plan: Plan, fit: Fit, flash: FlashParts) -> None:
    from tinynas.report.memory_text import memory_lines

    print(f"{model.name} on {title}: {plan.macs:,} MACs")
    print(*memory_lines(plan, fit, flash), sep="\n")
    print("fits" if fit.fits else f"does not fit: {fit.overflow_bytes:,} B too many")
