"""What a block library costs, in epochs of training the reference: the currency of DONNA's and OFA's comparisons."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tinynas.distill.config import DistillConfig
from tinynas.space.layers import layers
from tinynas.space.netspec import BlockSpec, NetSpec

_FORWARD = 1 / 3  # of a training step's work: the backward pass costs about twice the forward pass


@dataclass(frozen=True)
class LibraryCost:
    """Epochs of training the reference from scratch that do as many multiply-accumulates."""

    entries: float  # training all of them
    features: float  # the reference's one forward pass over their images

    @property
    def epochs(self) -> float:
        return self.entries + self.features


def library_cost(
    reference: NetSpec, trained: list[tuple[int, tuple[BlockSpec, ...]]], config: DistillConfig, train_images: int
) -> LibraryCost:
    """Of the `trained` entries (stage, blocks); the reference's epochs go over `train_images`.

    An entry's epoch takes the MACs of its stage alone, at the reference's resolution, and `config.images` at most.
    """
    share = min(config.images, train_images) / train_images
    whole = sum(layer.macs for layer in layers(reference))
    entries = sum(_stage_macs(reference, stage, blocks) for stage, blocks in trained)
    return LibraryCost(config.epochs * share * entries / whole, _FORWARD * share)


def _stage_macs(reference: NetSpec, stage: int, blocks: tuple[BlockSpec, ...]) -> int:
    """Of the stage with these blocks in place of the reference's."""
    stages = (*reference.stages[:stage], blocks, *reference.stages[stage + 1 :])
    return sum(layer.macs for layer in layers(replace(reference, stages=stages)) if layer.name.startswith(f"s{stage}b"))
