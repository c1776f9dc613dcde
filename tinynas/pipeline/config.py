"""`Experiment`: the TOML file that `tinynas run` takes, as frozen models that refuse unknown keys."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, NonNegativeInt, PositiveFloat, PositiveInt, ValidationError

from tinynas.data.config import DataConfig
from tinynas.distill.config import DistillConfig
from tinynas.errors import ConfigError
from tinynas.lab.board import load_board
from tinynas.pipeline.ofa_config import OfaConfig
from tinynas.pipeline.overrides import with_overrides
from tinynas.pipeline.toml_text import toml_text
from tinynas.predict.quality import MIN_NETS
from tinynas.search.config import SearchConfig
from tinynas.space.cost import Budget as MemoryBudget
from tinynas.space.elastic import ElasticSpace
from tinynas.space.space import SearchSpace
from tinynas.train.config import HardwareConfig, TrainConfig


class Budget(MemoryBudget, frozen=True, extra="forbid"):
    """The `[budget]` table: what a network may take of the board. Left out: all its memory, and any latency."""

    latency_us: PositiveFloat | None = None  # of one inference, as measured on the board


class ReferenceConfig(TrainConfig, frozen=True, extra="forbid"):
    """The reference network: trained as these settings say, or a finished one of the user's own."""

    epochs: PositiveInt = 20
    checkpoint: str | None = None  # .npz as tinynas writes it; nothing is trained then

    @property
    def training(self) -> TrainConfig:
        """What is trained, where something is; of the baselines too."""
        return TrainConfig.model_validate(self.model_dump(exclude={"checkpoint"}))


class PredictorConfig(BaseModel, frozen=True, extra="forbid"):
    """Networks finetuned to fit the accuracy predictor and to check it."""

    n_fit: Annotated[int, Field(ge=MIN_NETS)] = 12
    n_heldout: NonNegativeInt = 4  # judged on only
    seeds: PositiveInt = 1  # finetunings of each network: their mean is less noisy, their spread says how noisy
    finetune: TrainConfig = TrainConfig(epochs=4)


class FinetuneConfig(BaseModel, frozen=True, extra="forbid"):
    """What the networks of the search's front are given after it."""

    networks: PositiveInt = 8  # of the front, spread along it
    front_entries: PositiveInt = 4  # finetune more while fewer than these are not dominated on the validation split,
    max_networks: PositiveInt = 12  # up to these
    front: TrainConfig = TrainConfig(epochs=6)  # each of them
    chosen: TrainConfig = TrainConfig(epochs=10)  # then the best of them on the validation split
    scratch: TrainConfig | None = None  # also train the chosen network from fresh weights, with labels alone

    @property
    def chosen_epochs(self) -> int:
        """Epochs that the chosen network gets in all, beyond its library blocks' own."""
        return self.front.epochs + self.chosen.epochs


class BaselinesConfig(BaseModel, frozen=True, extra="forbid"):
    """Width-scaled MobileNetV2 nets, trained by [reference]'s recipe for as many epochs as the chosen net gets."""

    widths: tuple[PositiveFloat, ...] = (0.2, 0.35, 0.5)


class QuantiseConfig(BaseModel, frozen=True, extra="forbid"):
    """Calibration of int8 networks, on training images."""

    calibration_images: PositiveInt = 256  # of a network whose accuracy is reported
    candidate_images: PositiveInt = 16  # of a search candidate, of which only time and memory are used


class SpaceChoiceConfig(BaseModel, frozen=True, extra="forbid"):
    """How resolutions and width are chosen where [space] lists more than are kept (TinyNAS, arXiv 2007.10319)."""

    samples: PositiveInt = 1000  # networks per (resolution, width), as the paper draws
    resolutions: PositiveInt = 1  # kept for the search to choose from; the width is always one


class Experiment(BaseModel, frozen=True, extra="forbid"):
    """One run of `tinynas run`: from data and a board to a verified network."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]  # of the folder in runs/
    seed: NonNegativeInt = 0  # every draw of the run comes from it (the data have their own)
    board: str = "qemu-stm32f405"
    port: str | None = None  # serial port of a real board; left out: the only one attached that fits
    method: Literal["donna", "ofa"] = "donna"  # block library, or one supernet for every board ([ofa])
    budget: Budget = Budget()
    data: DataConfig
    space: SearchSpace
    space_choice: SpaceChoiceConfig = SpaceChoiceConfig()
    reference: ReferenceConfig = ReferenceConfig()
    library: DistillConfig = DistillConfig()
    predictor: PredictorConfig = PredictorConfig()
    search: SearchConfig = SearchConfig()
    finetune: FinetuneConfig = FinetuneConfig()
    baselines: BaselinesConfig = BaselinesConfig()
    quantise: QuantiseConfig = QuantiseConfig()
    hardware: HardwareConfig = HardwareConfig()
    ofa: OfaConfig = OfaConfig()


def load_experiment(path: Path, overrides: Sequence[str] = ()) -> Experiment:
    """The experiment in `path` with `--set` overrides; its name is the file's unless it says another.

    Raises:
        ConfigError: missing file, malformed TOML, unknown or contradicting setting; file and key are named.
        BoardError: unknown board.
    """
    settings = with_overrides({"name": path.stem} | _read(path), overrides)
    try:
        experiment = Experiment.model_validate(settings)
        _check(experiment)
        load_board(experiment.board)
    except ValidationError as error:
        raise ConfigError(f"{path}: {_first_error(error)}") from error
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error
    return experiment


def experiment_text(experiment: Experiment) -> str:
    """The whole experiment as TOML, defaults included; `load_experiment` reads it back."""
    settings = experiment.model_dump(mode="json", exclude={"space": {"channels", "classes"}})  # those are the data's
    return toml_text(settings)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such experiment; `tinynas new` writes one for your own images") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ConfigError(f"{path}: not a readable TOML file: {error}") from error


def _first_error(error: ValidationError) -> str:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return f"{key}: unknown setting; remove it or mend its name"
    if first["type"] == "missing":
        return f"{key}: missing; add it"
    return f"{key}: {first['msg']} (found {first['input']!r})"


def _check(experiment: Experiment) -> None:
    """Settings that are fine alone, but not together."""
    data, space = experiment.data, experiment.space
    if "channels" in space.model_fields_set and space.channels != data.channels:
        raise ConfigError(f"space.channels is {space.channels}, data.channels is {data.channels}; set the latter only")
    largest = max(space.resolutions)
    if largest > data.resolution:
        raise ConfigError(
            f"space.resolutions: {largest} is more than data.resolution, {data.resolution}; raise the latter, "
            "images are only ever scaled down"
        )
    if experiment.finetune.networks > experiment.finetune.max_networks:
        found = f"{experiment.finetune.networks} is more than finetune.max_networks, {experiment.finetune.max_networks}"
        raise ConfigError(f"finetune.networks: {found}; raise the latter, or lower the former")
    if experiment.method == "ofa":
        ElasticSpace.of(space)
        _check_ofa(experiment)
    elif experiment.ofa.finetune.epochs:
        raise ConfigError(
            "ofa.finetune.epochs (--finetune) is for method = 'ofa'; a DONNA run takes finetune.front.epochs and "
            "finetune.chosen.epochs"
        )


def _check_ofa(experiment: Experiment) -> None:
    """Settings that promise something which Once-for-All would not keep."""
    default = SearchConfig()
    for name in ("method", "objectives", "limits", "latency"):
        if getattr(experiment.search, name) != getattr(default, name):
            raise ConfigError(
                f"search.{name} is for method = 'donna'; Once-for-All trades accuracy against latency, by the "
                "board's table, within [budget] ([ofa.search]); remove the setting"
            )
    if experiment.reference.checkpoint is not None:
        raise ConfigError(
            "reference.checkpoint is for method = 'donna'; Once-for-All trains its own largest network; remove it"
        )
