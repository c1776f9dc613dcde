"""What the accuracy predictor may see of a network before anything of it is trained, beside its blocks' NSR."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
class Features:
    """Named features of a library's networks, each network probed once; larger ones should mean more accuracy."""

    library: Library
    data: Dataset
    _probes: dict[Arch, Probe] = field(default_factory=dict, repr=False)

    @cached_property
    def _prober(self) -> Prober:
        return Prober(self.library.reference, self.data)

    def columns(self, names: Sequence[str], archs: Sequence[Arch]) -> dict[str, NDArray[np.float64]]:
        """(n, k) each. Raises KeyError for a name that is none of `FEATURES`."""
        return {name: np.array([FEATURES[name](self, arch) for arch in archs]) for name in names}

    def probe(self, arch: Arch) -> Probe:
        """Of the assembled, not yet finetuned network; half a second for one of a million multiply-accumulates."""
        key = self.library.space.canonical(arch)
        if key not in self._probes:
            self._probes[key] = self._prober(self.library.assemble(key))
        return self._probes[key]


def _probe_columns(of: Features, arch: Arch) -> list[float]:
    probe = of.probe(arch)
    return [probe.accuracy, -probe.nsr]


FEATURES: dict[str, Callable[[Features, Arch], list[float]]] = {"probe": _probe_columns}


def as_nets(features: Features, archs: Sequence[Arch], accuracies: NDArray[np.float64], seed: int) -> Nets:
    """What predictors may see of networks, what they shall predict (n,), and the scores they are compared with."""
    library, data = features.library, features.data
    specs, probes = [library.space.netspec(arch) for arch in archs], [features.probe(arch) for arch in archs]
    images = data.train.images[:_NASWOT_IMAGES]
    rivals = {
        "macs": np.array([float(macs(spec)) for spec in specs]),
        "params": np.array([float(params(spec)) for spec in specs]),
        "zero_shot": np.array([probe.zero_shot for probe in probes]),
        "naswot": np.array([naswot(spec, images, seed) for spec in specs]),
        "probe": np.array([probe.accuracy for probe in probes]),
    }
    nsr = np.array([library.nsr_of(arch) for arch in archs])
    gains = features.columns(tuple(FEATURES), archs)
    return Nets(nsr, accuracies, np.array([arch[0] for arch in archs]), rivals, gains)
