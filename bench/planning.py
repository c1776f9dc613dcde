"""`python -m bench.planning`: how fast networks are planned, one by one and thousands at once, and that both agree.

One core, CPU seconds: the figures hold on a busy machine. The 108 spaces are the paper's (MCUNet, arXiv 2007.10319).
"""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable
from functools import partial
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.progress import track

from tinynas.graph.lower import lower
from tinynas.lab.board import Board, Core, load_board
from tinynas.plan.fit import RuntimeSize
from tinynas.plan.kernels import kernels
from tinynas.plan.planner import plan
from tinynas.space.choose import choose_space
from tinynas.space.cost import CandidateCost, network_cost
from tinynas.space.space import SearchSpace

CORES = (Core.M4, Core.M7, Core.M55)
SPACE = SearchSpace.model_validate(
    {
        "resolutions": list(range(48, 225, 16)),
        "widths": [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0],
        "stem": {"channels": 16},
        "channels": 3,
        "head_channels": 160,
        "stages": [
            {"out_channels": 16, "depths": [1], "expand_ratios": [1]},
            *(
                {"out_channels": channels, "stride": stride, "depths": [2, 3, 4], "expand_ratios": [3, 4, 6]}
                for channels, stride in ((24, 2), (40, 2), (80, 2), (96, 1), (160, 2))
            ),
        ],
    }
)
"""The paper's resolutions, widths, kernels, expand ratios and depths."""

RUNTIME = RuntimeSize(
    base_flash_bytes=16_000,
    kernel_flash_bytes={source: 1_000 for kernel in kernels().values() for source in kernel.sources},
    statics_bytes=256,
    runner_sram_bytes=4_096,
)
"""Made up, so that no compiler is asked: speed does not depend on sizes."""


def main(
    archs: Annotated[int, typer.Option(min=1, help="Networks costed at once.")] = 20_000,
    compared: Annotated[int, typer.Option(min=1, help="Of them, how many are planned one by one too.")] = 100,
    samples: Annotated[int, typer.Option(min=0, help="Of each of 108 spaces; 0: leave them out.")] = 1000,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Networks per CPU second of the fast costs, milliseconds per plan, seconds for 108 spaces."""
    figures: dict[str, dict[str, float]] = {}
    for core in track(CORES, "cores", console=Console(stderr=True), transient=True):
        board = load_board("qemu-stm32f405").model_copy(update={"core": core})
        figures[core.value] = of_core(board, archs, compared)
        if samples and core is CORES[0]:  # the cores differ little
            all_spaces = partial(choose_space, SPACE, CandidateCost(SPACE, board, RUNTIME), 0, samples=samples)
            figures[core.value]["spaces_s"] = seconds(all_spaces)
    report(figures, as_json)
    if any(found["different"] for found in figures.values()):
        raise typer.Exit(1)


def of_core(board: Board, archs: int, compared: int) -> dict[str, float]:
    """Speed in one of the spaces; tables are warm after the first pass."""
    space = SPACE.with_changes(resolutions=(144,), widths=(0.5,))
    cost, drawn = CandidateCost(space, board, RUNTIME), space.samples(np.random.default_rng(0), archs)
    cold_s = seconds(lambda: cost.batch(drawn))
    warm_s = seconds(lambda: cost.batch(drawn))
    some = drawn[:compared]
    graphs = [lower(space.netspec(tuple(arch))) for arch in some.tolist()]
    plan_s = seconds(lambda: [plan(graph, board.core) for graph in graphs])
    alone = [network_cost(space.netspec(tuple(arch)), board, RUNTIME) for arch in some.tolist()]
    different = sum(one != other for one, other in zip(cost.batch(some), alone, strict=True))
    return {
        "archs_per_s": archs / warm_s,
        "tables_s": cold_s - warm_s,
        "plan_ms": plan_s / len(graphs) * 1e3,
        "compared": len(alone),
        "different": different,
    }


def seconds(work: Callable[[], object]) -> float:
    """CPU seconds."""
    began_s = time.process_time()
    work()
    return time.process_time() - began_s


def report(figures: dict[str, dict[str, float]], as_json: bool) -> None:
    """One line per core."""
    if as_json:
        print(json.dumps({"machine": platform.platform(), "cores": figures}))
        return
    for core, found in figures.items():
        spaces = f", 108 spaces in {found['spaces_s']:.0f} s" if "spaces_s" in found else ""
        print(
            f"{core}: {found['archs_per_s']:,.0f} networks costed per s (tables: {found['tables_s']:.1f} s), "
            f"{found['plan_ms']:.1f} ms per plan, {found['different']:.0f} of {found['compared']:.0f} differ{spaces}"
        )


if __name__ == "__main__":
    typer.run(main)
