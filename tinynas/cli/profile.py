"""`tinynas profile`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tinynas.cli.options import BoardOption, JsonOption, ModelArgument, PortOption, print_json, progress

if TYPE_CHECKING:
    from tinynas.cli.parity import OpParity
    from tinynas.lab.board import Board
    from tinynas.lab.cycles.profile import Estimate
    from tinynas.plan.plan import Plan
    from tinynas.report.op_table import OpRow


def profile(
    model: ModelArgument,
    board: BoardOption,
    check: Annotated[
        bool, typer.Option("--check", help="Compare every op with the TFLite Micro interpreter's, byte for byte.")
    ] = False,
    cycles: Annotated[
        bool, typer.Option("--cycles", help="Estimated cycles of every function too, by a cost model (virtual boards).")
    ] = False,
    port: PortOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what each op of MODEL costs on a board: instructions or time, MACs, memory.

    With --check, exit status 1 if an op gives other bytes than the TFLite Micro interpreter; the first is named.
    """
    from tinynas.cli.models import read_model
    from tinynas.lab.board import load_board
    from tinynas.plan.planner import plan as make_plan
    from tinynas.report.op_table import op_rows

    target, found = load_board(board), read_model(model)
    plan = make_plan(found.graph, target.core)
    rows = op_rows(plan, _timings(plan, target, port))
    checked = _checked(make_plan(found.graph, target.core, streamed=False), target, port) if check else None
    estimate = _estimate(plan, target) if cycles else None
    if as_json:
        print_json(_json(str(model), board, plan, rows, checked) | _estimate_json(estimate))
    else:
        _print(plan, rows, checked)
        if estimate:
            _print_functions(estimate)
    if checked and not all(op.identical for op in checked):
        raise typer.Exit(1)


def _timings(plan: Plan, board: Board, port: str | None) -> dict[int, tuple[int | None, float]]:
    """Op -> (instructions where they are counted, microseconds), from a profiling image on the board."""
    from tinynas.engine.generate import generate
    from tinynas.lab.build import build_image
    from tinynas.lab.session import open_board

    image = build_image(generate(plan.graph, plan), board, profile=True)
    with open_board(board, port=port) as session:
        session.flash(image)
        return {op.index: (op.instructions, op.latency_us) for op in session.profile()}


def _checked(plan: Plan, board: Board, port: str | None) -> list[OpParity]:
    from tinynas.cli.parity import board_parity, host_parity

    with progress("checking ops", len(plan.steps)) as bar:
        parities = host_parity(plan) if board.kind == "host" else board_parity(plan, board, port)
        found = []
        for parity in parities:
            found.append(parity)
            bar.advance(1)
    return found


def _estimate(plan: Plan, board: Board) -> Estimate:
    """Of the image that `tinynas time` measures, without marks."""
    from tinynas.cli.parity import SEED
    from tinynas.engine.generate import generate
    from tinynas.lab.build import build_image
    from tinynas.lab.cycles.inference import estimate_inference
    from tinynas.quantize.seeded import seeded_inputs

    image = build_image(generate(plan.graph, plan), board)
    return estimate_inference(image, board, seeded_inputs(plan.graph, SEED)[0])


def _estimate_json(estimate: Estimate | None) -> dict[str, Any]:
    if estimate is None:
        return {"est_cycles": None, "functions": None}
    functions = [
        {"function": name, "instructions": count, "est_cycles": cycles}
        for name, (count, cycles) in estimate.by_function.items()
    ]
    return {"est_cycles": estimate.est_cycles, "functions": functions}


def _print_functions(estimate: Estimate) -> None:
    from rich.console import Console

    from tinynas.report.op_table import function_table

    Console().print(function_table(estimate.by_function))
    print(
        f"{estimate.instructions:,} instructions, about {estimate.est_cycles:,} cycles (a cost model, no wait states)"
    )


def _json(model: str, board: str, plan: Plan, rows: list[OpRow], checked: list[OpParity] | None) -> dict[str, Any]:
    first = next((asdict(op) for op in checked if not op.identical), None) if checked else None
    parity = None if checked is None else [asdict(op) | {"identical": op.identical} for op in checked]
    sizes = {"macs": plan.macs, "arena_bytes": plan.arena_bytes, "const_bytes": plan.const_bytes}
    ops = [asdict(row) for row in rows]
    return {"model": model, "board": board, **sizes, "ops": ops, "parity": parity, "first_difference": first}


def _print(plan: Plan, rows: list[OpRow], checked: list[OpParity] | None) -> None:
    from rich.console import Console

    from tinynas.report.op_table import op_table

    Console().print(op_table(rows))
    print(f"{plan.macs:,} MACs, arena {plan.arena_bytes:,} B, constants {plan.const_bytes:,} B")
    if checked is None:
        return
    bad = next((op for op in checked if not op.identical), None)
    if bad is None:
        print(f"all {len(checked)} ops give the TFLite Micro interpreter's bytes")
    else:
        print(
            f"first difference: op {bad.op} ({bad.kind}), {bad.differing:,} of {bad.elements:,} bytes of {bad.tensor}"
        )
