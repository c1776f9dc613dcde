"""Settings of progressive shrinking (Once-for-All, arXiv 1908.09791 section 3.3); they import without torch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt, field_validator

from tinynas.space.elastic import ElasticSpace
from tinynas.train.config import AugmentConfig

ALL = 99  # choices of one kind: more than any space has


class PhaseConfig(BaseModel, frozen=True, extra="forbid"):
    """One phase of the training."""

    epochs: NonNegativeInt  # 0: left out, its freedom comes with the next phase's
    lr: PositiveFloat  # peak
    subnets: PositiveInt = 1  # per step, gradients summed


class ShrinkingConfig(BaseModel, frozen=True, extra="forbid"):
    """The phases in the paper's order and the shares of its 180 + 125 + 150 + 150 epochs; AdamW on shuffled batches.

    Each phase keeps the freedoms of those before. Every batch has a resolution of its own throughout.
    """

    largest: PhaseConfig = PhaseConfig(epochs=24, lr=4e-3)
    kernel: PhaseConfig = PhaseConfig(epochs=12, lr=2e-3)
    depth_1: PhaseConfig = PhaseConfig(epochs=3, lr=1e-3, subnets=2)  # the two largest depths
    depth_2: PhaseConfig = PhaseConfig(epochs=12, lr=2e-3, subnets=2)  # all
    width_1: PhaseConfig = PhaseConfig(epochs=3, lr=1e-3, subnets=4)  # the two largest expand ratios
    width_2: PhaseConfig = PhaseConfig(epochs=12, lr=2e-3, subnets=4)  # all
    sandwich: bool = False  # of 3 subnets or more per step, one is the phase's largest and one its smallest
    batch_size: PositiveInt = 32  # of all processes together
    weight_decay: NonNegativeFloat = 1e-2  # decoupled; not on BatchNorm, biases and kernel transforms
    warmup_epochs: NonNegativeFloat = 1.0  # of every phase
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    soft_weight: NonNegativeFloat = 1.0  # of the soft cross-entropy to the largest net, added to the hard one
    temperature: PositiveFloat = 1.0
    augment: AugmentConfig = AugmentConfig()

    @field_validator("largest")
    @classmethod
    def _trained(cls, largest: PhaseConfig) -> PhaseConfig:
        """The largest net teaches all others."""
        if not largest.epochs:
            raise ValueError("the largest network teaches all others, so its phase needs 1 epoch or more")
        return largest


@dataclass(frozen=True)
class Phase:
    """A phase as it is trained."""

    name: str
    config: PhaseConfig
    space: ElasticSpace  # of the subnets that it trains
    sorts: bool  # whether hidden channels are sorted first, for widths that are new


def phases(space: ElasticSpace, config: ShrinkingConfig) -> tuple[Phase, ...]:
    """The phases of `space`, without those that have no epochs or bring nothing new."""
    found: list[Phase] = []
    offered = list(_offered(space, config))
    for index, phase in enumerate(offered):
        before = found[-1].space.size if found else 0
        later = [p for p in offered[index + 1 :] if p.config.epochs and p.name[:5] == phase.name[:5]]
        repeated = any(other.space.size == phase.space.size for other in later)  # the second half brings it all
        if phase.config.epochs and phase.space.size > before and not repeated:
            found.append(phase)
    return tuple(found)


def _offered(space: ElasticSpace, config: ShrinkingConfig) -> Iterator[Phase]:
    steps = {  # kernels, depths, expand ratios
        "largest": (1, 1, 1),
        "kernel": (ALL, 1, 1),
        "depth_1": (ALL, 2, 1),
        "depth_2": (ALL, ALL, 1),
        "width_1": (ALL, ALL, 2),
        "width_2": (ALL, ALL, ALL),
    }
    for name, (kernels, depths, ratios) in steps.items():
        part = space.shrunk(kernels=kernels, depths=depths, expand_ratios=ratios)
        yield Phase(name, getattr(config, name), part, name.startswith("width"))
