"""The `[ofa]` table of an experiment: Once-for-All (method = "ofa")."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field, PositiveInt

from tinynas.predict.mlp import MlpConfig
from tinynas.search.evolution import EvolutionConfig
from tinynas.train.config import TrainConfig
from tinynas.train.shrinking_config import ShrinkingConfig


class SubnetPredictorConfig(BaseModel, frozen=True, extra="forbid"):
    """Subnets judged on the validation split to fit the accuracy predictor, and others to check it."""

    n_fit: Annotated[int, Field(ge=20)] = 400
    n_heldout: Annotated[int, Field(ge=2)] = 80
    mlp: MlpConfig = MlpConfig()


class LatencyTableConfig(BaseModel, frozen=True, extra="forbid"):
    """Networks measured to build a board's latency table, and others to check it."""

    nets: Annotated[int, Field(ge=10)] = 80
    check_nets: Annotated[int, Field(ge=2)] = 24


class SubnetFinetuneConfig(TrainConfig, frozen=True, extra="forbid"):
    """Training of the networks that were found, with the supernet's largest as teacher; none by default."""

    epochs: Annotated[int, Field(ge=0)] = 0
    lr: Annotated[float, Field(gt=0)] = 1e-3


class OfaConfig(BaseModel, frozen=True, extra="forbid"):
    """Once-for-All (arXiv 1908.09791): one supernet for every board, specialised by search alone."""

    training: ShrinkingConfig = ShrinkingConfig()
    processes: PositiveInt = 1  # that train the supernet together, by torchrun: one per GPU, or per few cores
    half: bool = True  # keep the supernet in float16: half the bytes
    norm_images: PositiveInt = 512  # training images that each subnet's BatchNorm statistics are re-estimated on
    predictor: SubnetPredictorConfig = SubnetPredictorConfig()
    latency_table: LatencyTableConfig = LatencyTableConfig()
    search: EvolutionConfig = EvolutionConfig()
    finetune: SubnetFinetuneConfig = SubnetFinetuneConfig()
