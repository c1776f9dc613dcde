"""Pictures of the studies' results: `python -m experiments.pictures docs/results` draws those whose files are there."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS = {"donna": "tab:blue", "random": "tab:gray", "aging": "tab:orange"}
_TITLES = {"donna": "DONNA", "random": "random search", "aging": "regularised evolution"}


def predictor(study: str, folder: Path, axes: Axes) -> None:
    """Predicted against finetuned accuracy."""
    for part, marker in (("fitting", "o"), ("heldout", "D")):
        rows = _read(folder / f"{study}-predictor-{part}.json")
        measured = [100 * sum(row["accuracies"]) / len(row["accuracies"]) for row in rows]
        label = {"fitting": "fitted, left out in turn", "heldout": "held out"}[part]
        axes.scatter([100 * row["predicted"] for row in rows], measured, marker=marker, label=label, alpha=0.8)
    low, high = axes.get_ylim()
    axes.plot([low, high], [low, high], color="lightgray", zorder=0)
    axes.set(xlabel="predicted accuracy, %", ylabel="accuracy after finetuning, % (validation)")
    axes.legend()


def search_efficiency(folder: Path, axes: Axes) -> None:
    """Hypervolume against the number of networks finetuned."""
    trials = _read(folder / "study-search-efficiency.json")["trials"]
    for trial in trials:
        volumes, method = trial["hypervolume_validation"], trial["method"]
        label = _TITLES[method] if trial["seed"] == trials[0]["seed"] else None
        axes.plot(range(1, len(volumes) + 1), volumes, color=_COLOURS[method], alpha=0.8, label=label)
    best = max(trial["hypervolume_validation"][-1] for trial in trials)
    axes.set(xlabel="networks finetuned", ylabel="hypervolume (error x latency, validation)")
    axes.set_ylim(0.7 * best, 1.02 * best)  # the first two or three networks, whatever they are, would hide the rest
    axes.legend()


def against_baselines(file: str, folder: Path, axes: Axes) -> None:
    """Accuracy against latency: each baseline, and the network searched to take no more."""
    for row in _read(folder / file)["rows"]:
        theirs = (row["latency_us"] / 1000, 100 * row["accuracy"])
        latency_us = sum(pick["latency_us"] for pick in row["searched"]) / len(row["searched"])
        ours = (latency_us / 1000, 100 * row["searched_accuracy"])
        axes.annotate("", ours, theirs, arrowprops={"arrowstyle": "->", "color": "gray"})
        axes.scatter(*theirs, color="tab:orange", marker="s")
        axes.scatter(*ours, color="tab:blue")
        axes.annotate(row["baseline"], theirs, textcoords="offset points", xytext=(6, -10))
    axes.margins(0.1)  # room for the lowest one's name
    axes.set(xlabel="latency, ms (virtual)", ylabel="accuracy, % (test, mean over seeds)")


def hardware_in_the_loop(folder: Path, axes: Axes) -> None:
    """Latency against MACs on each board."""
    for path in sorted(folder.glob("*-hardware-in-the-loop-*.json")):
        found = _read(path)
        macs = [row["macs"] / 1e6 for row in found["networks"]]
        latency_ms = [row["latency_us"] / 1000 for row in found["networks"]]
        axes.scatter(
            macs,
            latency_ms,
            s=12,
            label=f"{path.stem.split('-hardware')[0]}, {found['board']}, tau {found['kendall_tau_macs']:.2f}",
        )
    axes.set(xlabel="million MACs", ylabel="measured latency, ms (virtual)", xlim=(0, None), ylim=(0, None))
    axes.legend()


_METHODS = {"donna": ("DONNA", "tab:blue"), "ofa": ("Once-for-All", "tab:green")}
_FROM_SCRATCH = 24  # networks that a search without shared weights trains for each board, as few as they are


def cost(folder: Path, axes: Axes) -> None:
    """CPU seconds against the number of targets, on facewake."""
    from matplotlib.ticker import MaxNLocator

    most = 0
    scratch_s: list[float] = []  # the least of them counts: machines are busier on some days
    for path in sorted([*folder.glob("study-cost.json"), *folder.glob("study-ofa-cost.json")]):
        found = _read(path)
        label, colour = _METHODS[found["method"]]
        targets = [row["targets"] for row in found["cumulated"]]
        products = [row for row in found["for_targets"] if row["product"] and row["cpu_s"] is not None]
        label = f"{label}, {path.stem.removesuffix('-cost')}{' (dotted: product)' if products else ''}"
        axes.plot(targets, [row["cpu_s"] for row in found["cumulated"]], color=colour, marker="o", ms=3, label=label)
        axes.plot(
            [targets[-1], *(row["targets"] for row in products)],
            [found["cumulated"][-1]["cpu_s"], *(row["cpu_s"] for row in products)],
            color=colour,
            linestyle=":",
        )
        most = max(most, *targets, *(row["targets"] for row in products))
        scratch_s += [found["scratch_cpu_s"]] if found["scratch_cpu_s"] else []
    label = f"{_FROM_SCRATCH} networks from scratch per target (product)"
    boards = [0, most]
    axes.plot(
        boards, [_FROM_SCRATCH * min(scratch_s) * n for n in boards], color="tab:gray", linestyle="--", label=label
    )
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(
        xlabel="targets (a board, with a latency limit or none)", ylabel="CPU seconds", ylim=(0, None), xlim=(0, None)
    )
    axes.legend()


_TEN_EPOCHS = "study-against-baselines.json"
_THIRTY_EPOCHS = "study-large-against-baselines-30-epochs.json"
PICTURES: dict[str, tuple[str, Callable[[Path, Axes], None]]] = {
    "predictor": ("study-predictor-heldout.json", partial(predictor, "study")),
    "predictor-taught": ("study-taught-predictor-heldout.json", partial(predictor, "study-taught")),
    "search-efficiency": ("study-search-efficiency.json", search_efficiency),
    "against-baselines": (_TEN_EPOCHS, partial(against_baselines, _TEN_EPOCHS)),
    "against-baselines-large": (_THIRTY_EPOCHS, partial(against_baselines, _THIRTY_EPOCHS)),
    "cost": ("study*-cost.json", cost),
    "hardware-in-the-loop": ("*-hardware-in-the-loop-*.json", hardware_in_the_loop),
}


def main(folder: Path) -> None:
    """Every picture as SVG beside its figures."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "tinynas"  # the same figures give the same file
    from matplotlib import pyplot

    for name, (file, draw) in PICTURES.items():
        if not list(folder.glob(file)):
            print(f"{name}: no {file} in {folder}")
            continue
        figure, axes = pyplot.subplots(figsize=(6.4, 4.2))
        draw(folder, axes)
        axes.spines[["top", "right"]].set_visible(False)
        figure.savefig(folder / f"{name}.svg", bbox_inches="tight", metadata={"Date": None})
        pyplot.close(figure)


def _read(path: Path) -> Any:
    return json.loads(path.read_text())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="of the studies' JSON files")
    main(parser.parse_args().folder)
