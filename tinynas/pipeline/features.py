"""What the accuracy predictor may see of a network before anything of it is trained, beside its blocks' NSR."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from tinynas.data.images import at_resolution
from tinynas.data.types import Dataset
from tinynas.distill.library import Library
from tinynas.nets.norm import reestimate
from tinynas.space.layers import layers
from tinynas.space.netspec import NetSpec
from tinynas.space.space import Arch
from tinynas.train.augment import to_float
from tinynas.train.supervised import predict

_JUDGED_IMAGES = 1000  # of the validation split at most
_NORM_BATCHES, _NORM_BATCH = 4, 64  # training images that BatchNorm is measured on


def macs(spec: NetSpec) -> int:
    """Multiply-accumulates of one inference."""
    return sum(layer.macs for layer in layers(spec))


def params(spec: NetSpec) -> int:
    """Weights and biases, BatchNorm folded."""
    from tinynas.graph.lower import lower

    graph = lower(spec)
    return sum(tensor.elements for tensor in graph.tensors if tensor.name.endswith((".weight", ".bias")))


@dataclass(frozen=True)
class ZeroShot:
    """How well a network assembled from library blocks does on validation images before any finetuning."""

    accuracy: float
    log_likelihood: float  # mean over the images, of the right label; nats


@dataclass(frozen=True)
class Features:
    """Named features of a library's networks, each computed once; larger ones should mean more accuracy."""

    library: Library
    data: Dataset
    _zero_shot: dict[Arch, ZeroShot] = field(default_factory=dict, repr=False)

    def columns(self, names: Sequence[str], archs: Sequence[Arch]) -> dict[str, NDArray[np.float64]]:
        """(n,) each. Raises KeyError for a name that is none of `FEATURES`."""
        return {name: np.array([FEATURES[name](self, arch) for arch in archs]) for name in names}

    def zero_shot(self, arch: Arch) -> ZeroShot:
        """A forward pass over some validation images; about a tenth of a second for a small network."""
        key = self.library.space.canonical(arch)
        if key not in self._zero_shot:
            self._zero_shot[key] = self._judge(key)
        return self._zero_shot[key]

    def _judge(self, arch: Arch) -> ZeroShot:
        """BatchNorm is measured anew first: each block's statistics are of the reference's features, not of these."""
        network = self.library.assemble(arch)
        side = network.spec.input_shape[0]
        plain = self.data.train.images[: _NORM_BATCHES * _NORM_BATCH]
        images = torch.split(torch.from_numpy(at_resolution(plain, side)), _NORM_BATCH)
        reestimate(network, (to_float(batch) for batch in images))
        judged = self.data.validation.head(_JUDGED_IMAGES)
        scores = predict(network, judged.images)
        loss = float(F.cross_entropy(torch.from_numpy(scores), torch.from_numpy(judged.labels)))
        return ZeroShot(float((scores.argmax(1) == judged.labels).mean()), -loss)


FEATURES: dict[str, Callable[[Features, Arch], float]] = {
    "log_macs": lambda of, arch: math.log(macs(of.library.space.netspec(arch))),
    "log_params": lambda of, arch: math.log(params(of.library.space.netspec(arch))),
    "zero_shot": lambda of, arch: of.zero_shot(arch).accuracy,
    "zero_shot_likelihood": lambda of, arch: of.zero_shot(arch).log_likelihood,
}
