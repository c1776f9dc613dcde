"""summary.json of a run, out of its stages' outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tinynas.data.types import Dataset
from tinynas.lab.board import Board
from tinynas.lab.measure import Measurement
from tinynas.pipeline.stage_store import Output
from tinynas.pipeline.stages.quantise import Int8Network
from tinynas.pipeline.stages.search import measured_figures
from tinynas.space.netspec import NetSpec

Entry = dict[str, Any]


@dataclass(frozen=True)
class Measured:
    """A network with all its figures."""

    name: str
    spec: NetSpec
    int8: Int8Network
    accuracy_validation: float  # float network
    measurement: Measurement | None  # None: it does not fit the board
    params: int
    macs: int

    def entry(self) -> Entry:
        """The figures for summary.json; null where a network that does not fit was not measured."""
        figures = measured_figures(self.measurement) if self.measurement else dict.fromkeys(_MEASURED)
        return {
            "name": self.name,
            "resolution": self.spec.input_shape[0],
            "accuracy_float": self.int8.accuracy_float,
            "accuracy_int8": self.int8.accuracy_int8,
            "accuracy_validation": self.accuracy_validation,
            **figures,
            "params": self.params,
            "macs": self.macs,
            "fits_board": self.measurement is not None,
        }


_BOARD_STAGES = ("space", "latency_table", "search", "ofa_search")
_MEASURED = ("latency_us", "latency_kind", "instructions", "peak_sram_bytes", "flash_bytes", "bit_exact", "sha256")


def dataset_entry(data: Dataset) -> Entry:
    """What the run was trained and tested on."""
    return {
        "name": data.name,
        "classes": list(data.classes),
        "input_shape": list(data.input_shape),
        "images": {name: len(split) for name, split in data.splits.items()},
        "sha256": data.sha256,
    }


def board_entry(board: Board) -> Entry:
    """The board, and the memory and clock that the figures refer to."""
    return {
        "name": board.name,
        "title": board.title,
        "core": str(board.core),
        "clock_hz": board.clock_hz,
        "sram_bytes": board.sram.size_bytes,
        "flash_bytes": board.flash.size_bytes,
        "kind": board.kind,
    }


def board_seconds(seconds: Mapping[str, float]) -> Entry:
    """What a board costs once data, reference, library and predictor (or supernet) are there: front and finetuning."""
    front = sum(spent for stage, spent in seconds.items() if stage in _BOARD_STAGES)
    return {"front": round(front, 1), "finetune": round(seconds.get("finetune", 0.0), 1)}


def cost_entry(stages: Mapping[str, Output]) -> Entry:
    """What each stage took when it was computed, by this run or by an earlier one; null where that was not kept."""
    costs = {name: output.cost for name, output in stages.items()}
    return {name: asdict(cost) if cost else None for name, cost in costs.items()}


def verdict(chosen: Entry, baselines: Sequence[Entry]) -> Entry:
    """Whether the chosen network beats the best baseline at no more latency and SRAM; the best by validation.

    Accuracies compared are those of the int8 networks on the test split.
    """
    fitting = [entry for entry in baselines if entry["fits_board"]]
    if not fitting:
        text = (
            "no MobileNetV2 baseline fits the board" if baselines else "no baseline was trained: baselines.widths is []"
        )
        return {"best_baseline": None, "chosen_wins": None, "text": text}
    best = max(fitting, key=lambda entry: entry["accuracy_validation"])
    wins = {
        "accuracy": chosen["accuracy_int8"] > best["accuracy_int8"],
        "latency": chosen["latency_us"] <= best["latency_us"],
        "SRAM": chosen["peak_sram_bytes"] <= best["peak_sram_bytes"],
    }
    return {"best_baseline": best["name"], "chosen_wins": all(wins.values()), "text": _sentence(chosen, best, wins)}


def _sentence(chosen: Entry, best: Entry, wins: Mapping[str, bool]) -> str:
    figures = (
        f"{chosen['accuracy_int8']:.1%} against {best['accuracy_int8']:.1%} accuracy, "
        f"{chosen['latency_us'] / 1000:.1f} against {best['latency_us'] / 1000:.1f} ms, "
        f"{chosen['peak_sram_bytes']:,} against {best['peak_sram_bytes']:,} B SRAM"
    )
    if all(wins.values()):
        return f"the chosen network beats the best baseline, {best['name']}: {figures}"
    lost = ", ".join(name for name, won in wins.items() if not won)
    return f"the chosen network does NOT beat the best baseline, {best['name']}, in {lost}: {figures}"
