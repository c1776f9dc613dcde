"""Reads a run folder (`runs/<name>/`) for tables and the report. `tinynas.pipeline` writes it.

summary.json     the figures of the run
candidates.json  every measured candidate of the search: list of `Candidate`
predictor.json   `points`: list of `PredictorPoint`
baselines.json   list of `Net`: the width-scaled MobileNetV2 nets
profile.json     per-op figures of the chosen net on the board: list of `OpProfile`
experiment.toml  the experiment as it ran, settings replaced by --set included
model.tflite     the chosen net
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from tinynas.errors import StoreError
from tinynas.lab.board import Core

T = TypeVar("T")


class Record(BaseModel, frozen=True, extra="allow"):
    """What the report needs of a record; the run may write more."""


class Net(Record, frozen=True):
    """One network with whatever was measured of it. Accuracies are fractions of 1 on the test split."""

    name: str = ""
    arch: Any = None
    accuracy_float: float | None = None
    accuracy_int8: float | None = None
    accuracy_on_board: float | None = None
    images_on_board: int | None = None
    images_identical_to_host: int | None = None
    latency_us: float | None = None
    instructions: int | None = None
    peak_sram_bytes: int | None = None
    flash_bytes: int | None = None
    macs: int | None = None
    params: int | None = None
    bit_exact: bool | None = None


class Candidate(Record, frozen=True):
    """A candidate of the search; most often it was built, flashed and timed."""

    arch: Any = None
    name: str = ""
    predicted_accuracy: float
    latency_us: float | None  # estimated where it is not measured; None: the search did not ask for it
    instructions: int | None = None
    peak_sram_bytes: int
    flash_bytes: int | None = None  # None on the host


class PredictorPoint(Record, frozen=True):
    """A net finetuned to fit or to check the predictor; `predicted` is made without it (leave one out, or held out)."""

    arch: Any = None
    predicted: float
    accuracy: float  # finetuned, validation split
    heldout: bool = False


class OpProfile(Record, frozen=True):
    """One op of the chosen net as the board timed it."""

    index: int
    instructions: int | None = None
    latency_us: float


class Predictor(Record, frozen=True):
    """How well predicted accuracies order finetuned ones."""

    kendall_tau: float
    kendall_tau_heldout: float | None = None
    loo_mse: float | None = None  # None: judged on held-out networks only
    rmse_heldout: float | None = None
    n_fit: int
    n_heldout: int = 0
    warning: str | None = None
    baselines: dict[str, float | None] = {}
    baselines_heldout: dict[str, float | None] = {}
    heldout_mse: float | None = None
    noise_ceiling_tau: float | None = None


class Search(Record, frozen=True):
    """What the search did; `hypervolume` holds one value per generation (or the last one only)."""

    method: str = "nsga2"
    objectives: tuple[str, ...] = ("error", "latency_us")
    latency: dict[str, Any] = {}  # where candidates' latencies come from
    latency_table: dict[str, Any] | None = None  # of Once-for-All: how it did on other networks, ...
    latency_table_mape: float | None = None  # ... and on those that the search found
    evaluated: int
    measured: int
    measured_per_minute: float | None = None
    hypervolume: float | list[float]


class LibraryFigures(Record, frozen=True):
    """What a block library took."""

    entries: int
    entries_per_minute: float | None = None
    epochs_equivalent: float  # of training the reference
    reference_epochs: int | None = None


class SupernetFigures(Record, frozen=True):
    """What a Once-for-All supernet took."""

    epochs: int
    seconds: float
    bytes: int
    subnets: int
    accuracy_validation: float  # of the largest subnet
    accuracy_validation_smallest: float


class FinetuneFigures(Record, frozen=True):
    """The chosen net's accuracy on validation images, epoch by epoch."""

    finetuned: list[float]
    scratch: list[float] | None = None
    epochs_to_scratch_accuracy: int | None = None


class StageCost(Record, frozen=True):
    """What a stage took when it was computed, by this run or by one before (tinynas/pipeline/cost.py)."""

    wall_s: float
    cpu_s: float | None
    device_s: float
    networks: int
    epochs: float


class BoardFacts(Record, frozen=True):
    """The board as it was when the run ended; its file may have changed since."""

    name: str
    title: str
    core: Core
    clock_hz: int
    sram_bytes: int
    flash_bytes: int
    kind: Literal["virtual", "hardware", "host"]


class Verdict(Record, frozen=True):
    """Whether the chosen net beats the best baseline at no more latency and SRAM; None: no baseline fits the board."""

    chosen_wins: bool | None
    text: str


class Summary(Record, frozen=True):
    """`summary.json`."""

    dataset: str
    board: str
    board_facts: BoardFacts
    reference: Net
    predictor: Predictor
    search: Search
    front: list[Net]
    chosen: Net
    verdict: Verdict
    library: LibraryFigures | None = None
    finetune: FinetuneFigures | None = None
    supernet: SupernetFigures | None = None
    board_s: dict[str, float] = {}  # "front" and "finetune" of this board, when all else is there
    seconds: dict[str, float] = {}  # of each stage, over all sittings
    cost: dict[str, StageCost | None] = {}  # of each stage; None where it was not kept
    wall_s: float


class Run(BaseModel, frozen=True):
    """Everything that the report shows of one run, except what it computes from `model.tflite`."""

    folder: Path
    summary: Summary
    candidates: list[Candidate] = []
    predictor_points: list[PredictorPoint] = []
    baselines: list[Net] = []
    profile: list[OpProfile] = []
    about_model: dict[str, Any] = {}  # model.json
    experiment: str = ""

    @property
    def name(self) -> str:
        return self.folder.resolve().name

    @property
    def model_path(self) -> Path:
        return self.folder / "model.tflite"


def load_run(folder: Path) -> Run:
    """Read a finished run.

    Raises:
        StoreError: no finished run there, or a file of it is damaged; the file and key are named.
    """
    if not (folder / "summary.json").is_file():
        raise StoreError(f"{folder}: no summary.json, so no finished run; start or resume it with `tinynas run`")
    points = _read(folder / "predictor.json", dict[str, Any], {}).get("points", [])
    experiment = folder / "experiment.toml"
    return Run(
        folder=folder,
        summary=_read(folder / "summary.json", Summary),
        candidates=_read(folder / "candidates.json", list[Candidate], []),
        predictor_points=TypeAdapter(list[PredictorPoint]).validate_python(points),
        baselines=_read(folder / "baselines.json", list[Net], []),
        profile=_read(folder / "profile.json", list[OpProfile], []),
        about_model=_read(folder / "model.json", dict[str, Any], {}),
        experiment=experiment.read_text() if experiment.is_file() else "",
    )


def _read(path: Path, kind: type[T], absent: T | None = None) -> T:
    """The JSON in `path` as `kind`; `absent` if there is no such file (not every run has every part)."""
    if absent is not None and not path.is_file():
        return absent
    try:
        return TypeAdapter(kind).validate_python(json.loads(path.read_text()))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise StoreError(f"{path}: {key}: {first['msg']}; run `tinynas run` again to write it anew") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise StoreError(f"{path}: damaged ({error}); run `tinynas run` again to write it anew") from error
