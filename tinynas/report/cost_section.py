"""The report's section on what a run's parts cost."""

from __future__ import annotations

from collections.abc import Mapping

from tinynas.report.charts import epochs_chart
from tinynas.report.run_folder import Run, StageCost, SupernetFigures
from tinynas.report.sections import figure, section, table
from tinynas.report.tables import percent


def cost(run: Run) -> str:
    """What the run's parts took, in epochs of training one net, and how finetuning went; "" where it was not kept."""
    if run.summary.supernet is not None:
        words = _supernet_words(run.summary.supernet, run.summary.board_s)
        return section("Cost", words, _stage_costs(run.summary.cost))
    library, finetune = run.summary.library, run.summary.finetune
    if library is None or finetune is None:
        return ""
    against = f" ({library.reference_epochs} were spent on it)" if library.reference_epochs else ""
    rate = f", {library.entries_per_minute:.0f} per minute" if library.entries_per_minute else ""
    intro = (
        f"{library.entries} library blocks{rate}: as much work as {library.epochs_equivalent:.1f} epochs of training "
        f"the reference{against}. This board's front took {run.summary.board_s.get('front', 0.0):.0f} s, finetuning "
        f"{run.summary.board_s.get('finetune', 0.0):.0f} s."
    )
    words = "The chosen net's accuracy on validation images after every epoch of finetuning"
    if finetune.scratch:
        reached = finetune.epochs_to_scratch_accuracy
        words += f"; trained from scratch for {len(finetune.scratch)} epochs it has {percent(finetune.scratch[-1])}, "
        words += f"which finetuning has after {reached} epochs" if reached else "which finetuning does not reach"
    return section("Cost", intro, figure(epochs_chart(finetune), f"{words}."), _stage_costs(run.summary.cost))


def _stage_costs(costs: Mapping[str, StageCost | None]) -> str:
    """A row per stage; "" where none is known."""
    if not any(costs.values()):
        return ""
    head = ("stage", "seconds", "CPU seconds", "boards busy, s", "networks trained", "epochs in all")
    note = "Of each stage when it was computed, by this run or by one before. A block library's epochs are of blocks."
    return f"<p class='soft'>{note}</p>" + table(head, [(name, *_stage_cost(cost)) for name, cost in costs.items()])


def _stage_cost(cost: StageCost | None) -> tuple[str, ...]:
    if cost is None:
        return ("unknown",) * 5
    cpu = "unknown" if cost.cpu_s is None else f"{cost.cpu_s:,.1f}"
    trained = (f"{cost.networks}" if cost.networks else "", f"{cost.epochs:,.0f}" if cost.epochs else "")
    return (f"{cost.wall_s:,.1f}", cpu, f"{cost.device_s:,.1f}", *trained)


def _supernet_words(found: SupernetFigures, board_s: Mapping[str, float]) -> str:
    return (
        f"{found.epochs} epochs in {found.seconds / 60:.0f} minutes trained one supernet for every board: "
        f"{found.subnets:.2g} subnets in {found.bytes:,} bytes, validation accuracy "
        f"{percent(found.accuracy_validation_smallest)} (smallest) to {percent(found.accuracy_validation)} (largest). "
        f"This board's latency table and search took {board_s.get('front', 0.0):.0f} s."
    )
