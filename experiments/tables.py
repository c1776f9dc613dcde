"""The tables of docs/results.md from the studies' JSON files: `python -m experiments.tables docs/results`."""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tinynas.predict.kendall import kendall_tau
from tinynas.predict.nets import Floats


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """A Markdown table."""
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(map(str, row)) + " |"


def predictor(found: dict[str, Any]) -> Iterator[str]:
    """Kendall tau of the predictor and its rivals."""
    own = (found["kendall_tau"], found["kendall_tau_pairs"], found["kendall_tau_heldout"])
    yield f"{found['n_fit']} fitted, {found['n_heldout']} held out; models and their weights: {found['models']}"
    rivals = [(name, "", tau, found["baselines_heldout"][name]) for name, tau in found["baselines"].items()]
    rows = [("**predictor**", *own), *rivals]
    yield from table(
        ("", "tau, leaving one out", "tau on the fitted (predictor: pairs left out)", "tau on the held-out"),
        ([name, *(_number(value) for value in values)] for name, *values in rows),
    )
    noise = found["noise"]
    seed = "unknown (one seed)" if noise["seed_error"] is None else f"{100 * noise['seed_error']:.2f}"
    yield (
        f"MSE {found['loo_mse']:.2e} leaving one out, {found['heldout_mse']:.2e} held out. Standard deviation of true "
        f"accuracies {100 * noise['spread']:.1f} points, of a finetuning's seed {seed}; a "
        f"predictor that knew the truth would reach tau {noise['tau_of_truth']:.2f}, a repetition {noise['tau']:.2f}."
    )
    yield f"Held-out tau with fewer fitted: {found['kendall_tau_heldout_with_fewer_fitted']}"


def heldout(found: list[dict[str, Any]]) -> Iterator[str]:
    """Kendall tau on held-out networks and by how much the predictor leads, with standard errors over networks."""
    accuracy = np.array([np.mean(row["accuracies"]) for row in found])
    scores = {"**predictor**": np.array([row["predicted"] for row in found])}
    scores["sum_nsr"] = -np.array([sum(row["nsr"]) for row in found])
    scores |= {name: np.array([row["baselines"][name] for row in found]) for name in found[0]["baselines"]}
    own = _tau_and_without_each(scores["**predictor**"], accuracy)
    rows = []
    for name, score in scores.items():
        taus = _tau_and_without_each(score, accuracy)
        rows.append((name, _with_error(taus), _with_error(own - taus)))
    yield f"{len(found)} held out, accuracies {_percent(accuracy.min())} to {_percent(accuracy.max())}"
    yield from table(("", "tau", "predictor's lead"), rows)


def _tau_and_without_each(score: Floats, accuracy: Floats) -> Floats:
    """Kendall tau of all n networks, then of the n selections that lack one: (n + 1,)."""
    without = [kendall_tau(np.delete(score, index), np.delete(accuracy, index)) for index in range(len(score))]
    return np.array([kendall_tau(score, accuracy), *without])


def _with_error(figures: Floats) -> str:
    """The first, and the jackknife's standard error from the others (Efron, Biometrika 68, 1981)."""
    parts = figures[1:]
    error = np.sqrt((len(parts) - 1) * np.var(parts))
    return f"{figures[0]:.2f} +- {error:.3f}"


def search_efficiency(found: dict[str, Any]) -> Iterator[str]:
    """Mean hypervolumes."""
    rows = [
        (method, *(f"{found['mean_hypervolume'][split][method]:.4g}" for split in ("validation", "test")))
        for method in found["mean_hypervolume"]["validation"]
    ]
    yield from table(("method", "hypervolume, validation", "hypervolume, test"), rows)
    yield f"DONNA's to the others': {found['donna_to']}"
    for trial in found["trials"]:
        volumes = trial["hypervolume_validation"][-1], trial["hypervolume_test"]
        name, spent = f"{trial['method']} seed {trial['seed']}", f"{trial['cpu_s']:.0f} CPU s"
        yield f"- {name}: {volumes[0]:.4g}, {volumes[1]:.4g}; {spent}"


def against_baselines(found: dict[str, Any]) -> Iterator[str]:
    """Each baseline beside what was searched to take no more."""
    rows = []
    for row in found["rows"]:
        low, high = row["gain"]["interval_95"]
        picks = row["searched"]
        rows.append(
            (
                row["baseline"],
                _percent(row["accuracy"]),
                _resources(row["latency_us"], row["peak_sram_bytes"], row["flash_bytes"]),
                _percent(row["searched_accuracy"]),
                _resources(*(_mean(pick[name] for pick in picks) for name in _RESOURCES)),
                f"{100 * row['gain']['difference']:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})",
            )
        )
    taken = "ms / SRAM B / flash B"
    yield from table(("baseline", "accuracy", taken, "searched", taken, "gain, points (95 %)"), rows)
    for row in found["rows"]:
        seeds = [[f"{100 * value:.1f}" for value in row[name]] for name in _PER_SEED]
        yield f"- {row['baseline']}: {', '.join(seeds[0])}; searched {', '.join(seeds[1])}"


_RESOURCES = ("latency_us", "peak_sram_bytes", "flash_bytes")
_PER_SEED = ("accuracy_per_seed", "searched_accuracy_per_seed")


def subnets(found: dict[str, Any]) -> Iterator[str]:
    """Subnets of the supernets beside the same networks trained alone: a row per arch, columns per seed."""
    seeds = sorted({row["seed"] for row in found["subnets"]})
    head = [f"seed {seed}: {kind}" for seed in seeds for kind in ("subnet", "alone")]
    rows = []
    for _, group in itertools.groupby(sorted(found["subnets"], key=_arch_then_seed), lambda row: row["macs"]):
        trials = list(group)
        gaps = [100 * trial["alone_less_subnet"]["difference"] for trial in trials]
        scores = [_percent(trial[kind]) for trial in trials for kind in ("accuracy_subnet", "accuracy_alone")]
        latency_ms = np.mean([trial["latency_us"] for trial in trials]) / 1000
        rows.append(
            (f"{trials[0]['macs'] / 1e6:.2f}", f"{latency_ms:.1f}", *scores, f"{np.mean(gaps):+.1f}, {max(gaps):+.1f}")
        )
    yield from table(("MMACs", "ms", *head, "alone less subnet, points: mean, worst"), rows)
    yield f"mean gap {100 * found['mean_gap']:+.2f} points, worst {100 * found['worst_gap']:+.2f}"
    yield str({name: round(value, 1) for name, value in found["cost"].items()})


def _arch_then_seed(row: dict[str, Any]) -> tuple[int, int]:
    return row["macs"], row["seed"]


def hardware_in_the_loop(found: dict[str, Any]) -> Iterator[str]:
    """One board's line."""
    limits, wrong = found["limits"], found["pairs_ordered_wrongly_by_macs"]
    spread = found["latency_per_mmac_us"]
    yield (
        f"{found['board']}, n {found['n']}: tau by MACs {found['kendall_tau_macs']:.2f}, by parameters "
        f"{found['kendall_tau_params']:.2f}; pairs ordered wrongly by MACs {wrong:.1%}; "
        f"MAPE of the best line {found['mape_of_line_through_macs']:.1%}; us per MMAC {spread['min']:.0f} to "
        f"{spread['max']:.0f}; of {len(limits)} limits {sum(not one['keeps_limit'] for one in limits)} broken, up to "
        f"{max(one['macs_lost'] for one in limits):.0%} of the MACs given away at others"
    )


def cost_table(found: dict[str, Any]) -> Iterator[str]:
    """What each phase costs, and what all of it costs for several boards."""
    phases, columns = found["phases"], ("first", "further_board", "further_limit")
    head = (
        "phase: CPU s / wall s / device s / epochs",
        "first board",
        f"each further board (mean of {found['further_boards_run']})",
        f"a latency limit on a known board (mean of {found['further_limits_run']})",
    )
    names = dict.fromkeys(name for column in columns for name in phases[column])
    rows = [(name, *(_amounts(phases[column].get(name)) for column in columns)) for name in names]
    yield from table(head, rows)
    yield ""
    rows = [(one["targets"], _amounts(one), "product" if one["product"] else "run") for one in found["for_targets"]]
    yield from table(("targets", head[0].removeprefix("phase: "), ""), rows)
    last = found["cumulated"][-1]
    yield f"Run: {last['targets']} targets on {last['boards']} boards. Left out: {found['left_out'] or 'none'}."
    chosen = [row["chosen"] for row in found["targets"]]
    images, same = (sum(one[name] for one in chosen) for name in ("images_on_board", "images_identical_to_host"))
    yield f"Outputs of the chosen networks on their boards: {same:,} of {images:,} images as on the host."
    for row in found["targets"]:
        if row["latency_table"] and row["quantile"] is None:
            yield f"- {row['board']}: {_off(row['latency_table'])}"
    if found["scratch_cpu_s"] is not None:
        yield f"The space's largest network trained alone from scratch: {found['scratch_cpu_s']:.0f} CPU s."


def _off(check: dict[str, Any]) -> str:
    """How far a latency table is from whole networks."""
    return (
        f"latency table {_percent(check['mape'])} off, at worst {_percent(check['worst'])}, on {check['nets']} networks"
    )


def _amounts(one: dict[str, Any] | None) -> str:
    if one is None:
        return ""
    values = [one[name] for name in ("cpu_s", "wall_s", "device_s", "epochs")]
    return " / ".join("unknown" if value is None else f"{value:,.0f}" for value in values)


_TABLES: dict[str, Callable[[Any], Iterator[str]]] = {
    "*-predictor-quality.json": predictor,
    "*-predictor-heldout.json": heldout,
    "*-search-efficiency.json": search_efficiency,
    "*-against-baselines*.json": against_baselines,
    "*-subnets.json": subnets,
    "*-hardware-in-the-loop-*.json": hardware_in_the_loop,
    "*-cost.json": cost_table,
}


def main(folder: Path) -> None:
    """Print the tables of all files that are there."""
    for pattern, lines in _TABLES.items():
        for path in sorted(folder.glob(pattern)):
            print(f"\n### {path.name}\n")
            print("\n".join(lines(json.loads(path.read_text()))))


def _number(value: object) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value or "")


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def _resources(latency_us: float, sram_bytes: float, flash_bytes: float) -> str:
    return f"{latency_us / 1000:.1f} / {sram_bytes:,.0f} / {flash_bytes:,.0f}"


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / len(found)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="of the studies' JSON files")
    main(parser.parse_args().folder)
