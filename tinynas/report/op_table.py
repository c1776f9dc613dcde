"""The ops of a planned network with what each costs, for the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tinynas.graph.stats import op_macs
from tinynas.plan.plan import Plan

if TYPE_CHECKING:
    from rich.table import Table

Cost = tuple[int | None, float]  # (instructions where they are counted, microseconds)


@dataclass(frozen=True)
class OpRow:
    """One op in execution order. Ops that need no code (reshape) have kernel, instructions and latency None."""

    index: int
    kind: str
    output: str
    shape: tuple[int, ...]
    kernel: str | None
    macs: int
    live_bytes: int | None  # arena in use while it runs, scratch included
    instructions: int | None
    latency_us: float | None


def op_rows(plan: Plan, costs: Mapping[int, Cost]) -> list[OpRow]:
    """One row per op; `costs` by op index."""
    steps = {step.ops[-1]: k for k, step in reversed(list(enumerate(plan.steps)))}  # the first, if there are bands
    return [_row(plan, index, steps.get(index), costs.get(index)) for index in range(len(plan.graph.ops))]


def _row(plan: Plan, index: int, step: int | None, cost: Cost | None) -> OpRow:
    from tinynas.report.memory_text import used_bytes

    op = plan.graph.ops[index]
    output = plan.graph.tensors[op.outputs[0]]
    instructions, latency_us = (None, None) if step is None or cost is None else cost
    kernel, live = (None, None) if step is None else (plan.steps[step].kernel, used_bytes(plan, step))
    return OpRow(
        index, op.kind, output.name, output.shape, kernel, op_macs(plan.graph, op), live, instructions, latency_us
    )


def op_table(rows: list[OpRow]) -> Table:
    """The rows with each op's share of the time."""
    from rich.table import Table

    total_us = sum(row.latency_us or 0.0 for row in rows) or 1.0
    table = Table(box=None, padding=(0, 1))
    table.add_column("#", justify="right")
    table.add_column("op", no_wrap=True)
    for header in ("output", "MACs", "arena B", "instructions", "ms", "%"):
        table.add_column(header, justify="right")
    for row in rows:
        table.add_row(str(row.index), row.kind, "x".join(map(str, row.shape[1:])), *_figures(row, total_us))
    return table


def function_table(functions: Mapping[str, tuple[int, int]]) -> Table:
    """C functions with (instructions, estimated cycles), those that take most cycles first."""
    from rich.table import Table

    total = sum(cycles for _, cycles in functions.values()) or 1
    table = Table(box=None, padding=(0, 1))
    table.add_column("function", no_wrap=True)
    for header in ("instructions", "est. cycles", "cycles/instr.", "%"):
        table.add_column(header, justify="right")
    for name, (count, cycles) in sorted(functions.items(), key=lambda entry: -entry[1][1]):
        table.add_row(name, f"{count:,}", f"{cycles:,}", f"{cycles / count:.2f}", f"{cycles / total:.1%}"[:-1])
    return table


def _figures(row: OpRow, total_us: float) -> tuple[str, ...]:
    live = "" if row.live_bytes is None else f"{row.live_bytes:,}"
    instructions = "" if row.instructions is None else f"{row.instructions:,}"
    if row.latency_us is None:
        return (f"{row.macs:,}", live, instructions, "", "")
    return (
        f"{row.macs:,}",
        live,
        instructions,
        f"{row.latency_us / 1000:,.3f}",
        f"{row.latency_us / total_us:.1%}"[:-1],
    )
