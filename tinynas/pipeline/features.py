"""What the accuracy predictor may see of a network before anything of it is trained, beside its blocks' NSR."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from tinynas.data.images import at_resolution
from tinynas.data.types import Dataset
from tinynas.distill.library import Library
from tinynas.nets.norm import reestimate
from tinynas.space.layers import layers
from tinynas.space.netspec import NetSpec
from tinynas.space.space import Arch
from tinynas.train.augment import to_float
from tinynas.train.supervised import accuracy

_JUDGED_IMAGES = 1000  # of the validation split at most
_STAGE = re.compile(r"s(\d+)b\d")  # of a layer's name
_NORM_BATCHES, _NORM_BATCH = 4, 64  # training images that BatchNorm is measured on


def macs(spec: NetSpec) -> int:
    """Multiply-accumulates of one inference."""
    return sum(layer.macs for layer in layers(spec))


def params(spec: NetSpec) -> int:
    """Weights and biases, BatchNorm folded."""
    from tinynas.graph.lower import lower

    graph = lower(spec)
    return sum(tensor.elements for tensor in graph.tensors if tensor.name.endswith((".weight", ".bias")))


def capacity(spec: NetSpec) -> list[float]:
    """Per stage the logarithm of its rectified channels, summed over its layers.

    A block's NSR tells how far one epoch of distillation got; what finetuning can still win depends on how much the
    block could compute, and that is limited by its nonlinear channels far more than by its kernels.
    """
    counts = [0] * len(spec.stages)
    for layer in layers(spec):
        found = _STAGE.match(layer.name)
        if found and layer.activation != "none":
            counts[int(found[1])] += layer.out_shape[2]
    return [math.log(max(count, 1)) for count in counts]


@dataclass(frozen=True)
class Features:
    """Named features of a library's networks, each computed once; larger ones should mean more accuracy."""

    library: Library
    data: Dataset
    _zero_shot: dict[Arch, float] = field(default_factory=dict, repr=False)

    def columns(self, names: Sequence[str], archs: Sequence[Arch]) -> dict[str, NDArray[np.float64]]:
        """(n, k) each. Raises KeyError for a name that is none of `FEATURES`."""
        return {name: np.array([FEATURES[name](self, arch) for arch in archs]) for name in names}

    def zero_shot(self, arch: Arch) -> float:
        """Accuracy of the assembled, not yet finetuned network on some validation images.

        About a tenth of a second for a small network.
        """
        key = self.library.space.canonical(arch)
        if key not in self._zero_shot:
            self._zero_shot[key] = self._judge(key)
        return self._zero_shot[key]

    def _judge(self, arch: Arch) -> float:
        """BatchNorm is measured anew first: each block's statistics are of the reference's features, not of these."""
        network = self.library.assemble(arch)
        side = network.spec.input_shape[0]
        plain = self.data.train.images[: _NORM_BATCHES * _NORM_BATCH]
        images = torch.split(torch.from_numpy(at_resolution(plain, side)), _NORM_BATCH)
        reestimate(network, (to_float(batch) for batch in images))
        return accuracy(network, self.data.validation.head(_JUDGED_IMAGES))


FEATURES: dict[str, Callable[[Features, Arch], list[float]]] = {
    "zero_shot": lambda of, arch: [of.zero_shot(arch)],
    "capacity": lambda of, arch: capacity(of.library.space.netspec(arch)),
}
