"""The accuracies that the predictor expects of a library's networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from tinynas.pipeline.features import Features
from tinynas.predict.quality import AccuracyPredictor
from tinynas.space.space import Arch


@dataclass(frozen=True)
class Predicted:
    """Each network's accuracy is predicted once."""

    predictor: AccuracyPredictor
    features: Features
    _known: dict[Arch, float] = field(default_factory=dict, repr=False)

    def __call__(self, archs: Sequence[Arch]) -> list[float]:
        """One accuracy per arch, fractions of 1."""
        new = [arch for arch in dict.fromkeys(archs) if arch not in self._known]
        if new:
            nsr = np.array([self.features.library.nsr_of(arch) for arch in new])
            gains = self.features.gains(new) if self.predictor.needs else {}
            found = self.predictor.predict(nsr, [arch[0] for arch in new], gains)
            self._known.update(zip(new, found.tolist(), strict=True))
        return [self._known[arch] for arch in archs]
