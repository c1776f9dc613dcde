"""Writes a run folder of the documented shape (`tinynas.report.run_folder`), with made-up but plausible figures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tests.cli.models import int8_model, small_spec

CLOCK_HZ = 168_000_000


def write_run(folder: Path, seed: int = 0, model: bytes | None = None) -> Path:
    """A finished run in `folder`."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.tflite").write_bytes(model or int8_model(small_spec(48)))
    (folder / "experiment.toml").write_text('board = "qemu-stm32f405"  # <a comment with & and "quotes">\n')
    candidates = _candidates(rng, 240)
    front = _front(candidates)
    _write(folder / "candidates.json", candidates)
    _write(folder / "predictor.json", {"points": _points(rng)})
    _write(folder / "baselines.json", _baselines())
    _write(folder / "profile.json", _profile(rng))
    _write(folder / "model.json", {"sha256": "ab" * 32, "data": {"split": {"train": 4000, "test": 1000}}})
    _write(folder / "summary.json", _summary(front))
    return folder


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value))


def _candidates(rng: np.random.Generator, count: int) -> list[dict[str, Any]]:
    instructions = np.exp(rng.uniform(np.log(1.5e6), np.log(1.6e7), count)).astype(int)
    accuracy = 0.66 + 0.075 * np.log(instructions / 1.5e6) + rng.normal(0, 0.014, count) - 0.01
    return [
        {
            "arch": [int(i)],
            "predicted_accuracy": float(accuracy[i]),
            "latency_us": float(instructions[i] / CLOCK_HZ * 1e6),
            "instructions": int(instructions[i]),
            "peak_sram_bytes": int(20_000 + instructions[i] // 220),
            "flash_bytes": int(40_000 + instructions[i] // 130),
        }
        for i in range(count)
    ]


def _front(candidates: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Non-dominated candidates, thinned, with test accuracies."""
    best, front = 0.0, []
    for candidate in sorted(candidates, key=lambda c: float(c["latency_us"])):
        if candidate["predicted_accuracy"] > best + 0.012:
            best = candidate["predicted_accuracy"]
            measured = {"accuracy_int8": round(best - 0.006, 3), "accuracy_float": round(best, 3), "bit_exact": True}
            front.append({**candidate, **measured, "macs": candidate["instructions"] // 6})
    return front


def _points(rng: np.random.Generator) -> list[dict[str, Any]]:
    accuracy = rng.uniform(0.68, 0.83, 14)
    predicted = accuracy + rng.normal(0, 0.012, 14)
    return [
        {"arch": [i], "predicted": float(predicted[i]), "accuracy": float(accuracy[i]), "heldout": i >= 10}
        for i in range(14)
    ]


def _baselines() -> list[dict[str, Any]]:
    rows = ((0.2, 0.741, 3.1e6), (0.35, 0.772, 6.2e6), (0.5, 0.789, 1.1e7))
    return [
        {
            "name": f"MobileNetV2 x{width}",
            "accuracy_int8": accuracy,
            "latency_us": instructions / CLOCK_HZ * 1e6,
            "instructions": int(instructions),
            "peak_sram_bytes": int(30_000 + instructions / 190),
            "flash_bytes": int(60_000 + instructions / 100),
        }
        for width, accuracy, instructions in rows
    ]


def _profile(rng: np.random.Generator) -> list[dict[str, Any]]:
    counts = rng.integers(10_000, 900_000, 14)
    return [{"index": i, "instructions": int(n), "latency_us": n / CLOCK_HZ * 1e6} for i, n in enumerate(counts)]


def _summary(front: list[dict[str, Any]]) -> Mapping[str, Any]:
    chosen = front[-2]
    on_board = {"accuracy_on_board": chosen["accuracy_int8"], "images_on_board": 1000, "params": 41_000}
    baselines = {"sum_nsr": 0.61, "macs": 0.42, "params": 0.30, "zero_shot": -0.08}
    return {
        "dataset": "facewake",
        "board": "qemu-stm32f405",
        "board_facts": {
            "name": "qemu-stm32f405", "title": "STM32F405 on QEMU", "core": "cortex-m4", "clock_hz": CLOCK_HZ,
            "sram_bytes": 131_072, "flash_bytes": 1_048_576, "kind": "virtual",
        },
        "verdict": {"chosen_wins": False, "text": "the chosen network does NOT beat the best baseline, in latency"},
        "seconds": {"reference": 210.0, "search": 300.0},
        "reference": {"accuracy_float": 0.861, "accuracy_int8": 0.858, "macs": 12_000_000},
        "predictor": {
            "kendall_tau": 0.78, "kendall_tau_heldout": 0.67, "loo_mse": 1.6e-4, "n_fit": 10, "n_heldout": 4,
            "baselines": baselines, "baselines_heldout": baselines | {"sum_nsr": 0.57, "naswot": 0.11},
            "noise_ceiling_tau": 0.81,
        },
        "search": {
            "evaluated": 1200, "measured": 240, "measured_per_minute": 52.3,
            "hypervolume": [0.31 + 0.07 * (1 - 0.7**i) for i in range(12)],
        },
        "library": {"entries": 40, "entries_per_minute": 21.5, "epochs_equivalent": 4.2, "reference_epochs": 10},
        "finetune": {
            "finetuned": [0.71, 0.75, 0.78], "scratch": [0.55, 0.61, 0.74], "epochs_to_scratch_accuracy": 2,
        },
        "board_s": {"front": 112.0, "finetune": 65.0},
        "front": front,
        "chosen": {**chosen, **on_board},
        "wall_s": 731.0,
    }  # fmt: skip
