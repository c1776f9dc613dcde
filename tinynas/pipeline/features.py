"""What the accuracy predictor may see of a network before anything of it is trained, beside its blocks' NSR."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tinynas.data.types import Dataset
from tinynas.distill.library import Library
from tinynas.pipeline.probe import Probe, Prober
from tinynas.pipeline.zero_shot import naswot
from tinynas.predict.nets import Nets
from tinynas.space.layers import layers
from tinynas.space.netspec import NetSpec
from tinynas.space.space import Arch

_NASWOT_IMAGES = 32


def macs(spec: NetSpec) -> int:
    """Multiply-accumulates of one inference."""
    return sum(layer.macs for layer in layers(spec))


def params(spec: NetSpec) -> int:
    """Weights and biases, BatchNorm folded."""
    from tinynas.graph.lower import lower

    graph = lower(spec)
    return sum(tensor.elements for tensor in graph.tensors if tensor.name.endswith((".weight", ".bias")))


@dataclass(frozen=True)
class Scores:
    """Zero-cost proxies of a network's accuracy: nothing is trained for them; each is larger for a better network."""

    probe: Probe
    naswot: float

    @property
    def columns(self) -> list[float]:
        """What the predictor sees."""
        return [self.probe.accuracy, -self.probe.nsr, self.naswot]


@dataclass(frozen=True)
class Features:
    """Features of a library's networks, those of each network computed once; `seed` is NASWOT's initial weights'."""

    library: Library
    data: Dataset
    seed: int
    _known: dict[Arch, Scores] = field(default_factory=dict, repr=False)

    @cached_property
    def _prober(self) -> Prober:
        return Prober(self.library.reference, self.data)

    def gains(self, archs: Sequence[Arch]) -> dict[str, NDArray[np.float64]]:
        """(n, k) each, as `predict.nets.Nets` has them."""
        return {"proxies": np.array([self.scores(arch).columns for arch in archs])}

    def scores(self, arch: Arch) -> Scores:
        """Of the assembled, not yet finetuned network; half a second for one of a million multiply-accumulates."""
        key = self.library.space.canonical(arch)
        if key not in self._known:
            self._known[key] = Scores(self._prober(self.library.assemble(key)), self._naswot(key))
        return self._known[key]

    def _naswot(self, arch: Arch) -> float:
        return naswot(self.library.space.netspec(arch), self.data.train.images[:_NASWOT_IMAGES], self.seed)


def as_nets(features: Features, archs: Sequence[Arch], accuracies: NDArray[np.float64]) -> Nets:
    """What predictors may see of networks, what they shall predict (n,), and the scores they are compared with."""
    library = features.library
    specs, scores = [library.space.netspec(arch) for arch in archs], [features.scores(arch) for arch in archs]
    rivals = {
        "macs": np.array([float(macs(spec)) for spec in specs]),
        "params": np.array([float(params(spec)) for spec in specs]),
        "zero_shot": np.array([score.probe.zero_shot for score in scores]),
        "naswot": np.array([score.naswot for score in scores]),
        "probe": np.array([score.probe.accuracy for score in scores]),
    }
    nsr = np.array([library.nsr_of(arch) for arch in archs])
    return Nets(nsr, accuracies, np.array([arch[0] for arch in archs]), rivals, features.gains(archs))
