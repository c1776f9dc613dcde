"""The Pareto front as a table for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinynas.report.run_folder import Net, Run

if TYPE_CHECKING:
    from rich.table import Table


def front_table(run: Run) -> Table:
    """The front by latency, the chosen net marked; baselines and reference below, for comparison."""
    from rich import box
    from rich.table import Table

    table = Table(
        title=f"Pareto front of {run.name}", title_justify="left", caption=f"→ chosen; {caption(run)}", box=box.SIMPLE
    )
    table.add_column("net", overflow="fold")
    for header in ("int8", "ms", "SRAM", "flash", "exact"):
        table.add_column(header, justify="right", no_wrap=True)
    chosen = run.summary.chosen
    for net in sorted(run.summary.front, key=lambda net: net.latency_us or 0.0):
        is_chosen = net.arch == chosen.arch
        name = f"→ {net.name or 'chosen'}" if is_chosen else net.name or "front"
        table.add_row(name, *net_cells(net), style="bold green" if is_chosen else "")
    table.add_section()
    for net in [*run.baselines, run.summary.reference]:
        table.add_row(net.name or "reference", *net_cells(net), style="dim")
    return table


def net_cells(net: Net) -> tuple[str, ...]:
    """Accuracy, latency, SRAM, flash, bit exactness as words; a dash where it was not measured."""
    accuracy = net.accuracy_int8 if net.accuracy_int8 is not None else net.accuracy_float
    exact = {True: "yes", False: "NO", None: "–"}[net.bit_exact]
    latency = "–" if net.latency_us is None else f"{net.latency_us / 1000:,.2f}"
    return (percent(accuracy), latency, size(net.peak_sram_bytes), size(net.flash_bytes), exact)


def percent(fraction: float | None) -> str:
    """`84.3 %`."""
    return "–" if fraction is None else f"{fraction:.1%}".replace("%", " %")


def size(size_bytes: int | None) -> str:
    """`47.9 KiB`."""
    return "–" if size_bytes is None else f"{size_bytes / 1024:,.1f} KiB"


def caption(run: Run) -> str:
    """Where the figures come from, in one sentence."""
    search, rate = run.summary.search, run.summary.search.measured_per_minute
    speed = f", {rate:.0f} new ones per minute" if rate is not None else ""
    return f"{search.measured} candidates measured on the board of {search.evaluated} evaluated{speed}"
