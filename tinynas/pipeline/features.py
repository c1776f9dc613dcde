"""What the accuracy predictor may see of a network before anything of it is trained, beside its blocks' NSR."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinynas.distill.library import Library
from tinynas.pipeline.jobs import run_jobs
from tinynas.pipeline.scoring import Scored, ScoreJob, Scores
from tinynas.predict.nets import Nets
from tinynas.space.layers import layers
from tinynas.space.netspec import NetSpec
from tinynas.space.space import Arch


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
    """Features of a library's networks; those of each network are computed once and kept in `folder`."""

    library: Library
    scored: Scored  # the same library, for other processes
    folder: Path
    workers: int

    def gains(self, archs: Sequence[Arch]) -> dict[str, NDArray[np.float64]]:
        """(n, k) each, as `predict.nets.Nets` has them."""
        return _gains(self.scores(archs))

    def scores(self, archs: Sequence[Arch]) -> list[Scores]:
        """Of the assembled, not yet finetuned networks."""
        keys = [self.library.space.canonical(arch) for arch in archs]
        jobs = {key: ScoreJob(self.folder, self.scored, key) for key in keys}
        run_jobs(list(jobs.values()), self.workers)
        return [jobs[key].scores() for key in keys]


def _gains(scores: Sequence[Scores]) -> dict[str, NDArray[np.float64]]:
    return {"proxies": np.array([one.columns for one in scores])}


def as_nets(features: Features, archs: Sequence[Arch], accuracies: NDArray[np.float64]) -> Nets:
    """What predictors may see of networks, what they shall predict (n,), and the scores they are compared with."""
    library = features.library
    specs, scores = [library.space.netspec(arch) for arch in archs], features.scores(archs)
    rivals = {
        "macs": np.array([float(macs(spec)) for spec in specs]),
        "params": np.array([float(params(spec)) for spec in specs]),
        "zero_shot": np.array([score.probe.zero_shot for score in scores]),
        "naswot": np.array([score.naswot for score in scores]),
        "probe": np.array([score.probe.accuracy for score in scores]),
    }
    nsr = np.array([library.nsr_of(arch) for arch in archs])
    return Nets(nsr, accuracies, np.array([arch[0] for arch in archs]), rivals, _gains(scores))
