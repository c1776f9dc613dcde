"""A space of a few entries on a few digits, for tests of the library."""

from __future__ import annotations

from functools import cache

import torch

from tinynas.data.config import DataConfig
from tinynas.data.digits import digits
from tinynas.data.types import Dataset, make_dataset
from tinynas.distill.config import DistillConfig
from tinynas.nets.network import Network, build_network
from tinynas.space.space import SearchSpace, StageSpace, Stem
from tinynas.train.config import AugmentConfig, TrainConfig
from tinynas.train.supervised import train

CONFIG = DistillConfig(epochs=2, batch_size=32, lr=2e-2)

torch.set_num_threads(1)


@cache
def space() -> SearchSpace:
    """Two stages; with channels rounded to 8, expand ratios 1 and 1.1 are one option."""
    stages = (
        StageSpace(out_channels=8, stride=2, depths=(1, 2), kernels=(3,), expand_ratios=(1.0, 1.1, 2.0)),
        StageSpace(out_channels=16, stride=1, depths=(1,), kernels=(3, 5), expand_ratios=(2.0,)),
    )
    return SearchSpace(
        resolutions=(12, 16), stem=Stem(channels=8, stride=1), stages=stages, head_channels=24, classes=10
    )


@cache
def data() -> Dataset:
    whole = digits(DataConfig.model_validate({"dataset": "digits"}))
    return make_dataset(
        "digits", whole.classes, (whole.train.head(320), whole.validation.head(80), whole.test.head(80))
    )


@cache
def reference() -> Network:
    """Trained a little: an untrained network's features say nothing."""
    network = build_network(space().netspec(space().largest()), seed=0)
    config = TrainConfig(epochs=3, batch_size=32, lr=8e-3, augment=AugmentConfig(mirror=False))
    train(network, data().train, config, seed=0)
    return network
