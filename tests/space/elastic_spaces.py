"""Small elastic spaces for tests."""

from __future__ import annotations

from typing import Any

from tinynas.space.elastic import ElasticSpace
from tinynas.space.space import Stem

TINY: dict[str, Any] = {
    "resolutions": (12, 16),
    "stem": Stem(channels=8, stride=1),
    "stages": [
        {"out_channels": 8, "stride": 2, "depths": (1, 2), "kernels": (3, 5, 7), "expand_ratios": (2, 3, 4)},
        {"out_channels": 16, "stride": 2, "depths": (1, 2, 3), "kernels": (3, 7), "expand_ratios": (2, 3)},
    ],
    "head_channels": 24,
    "classes": 10,
}


def tiny_elastic(**changes: object) -> ElasticSpace:
    """Two stages, three kernels and widths in one, kernels two steps apart in the other."""
    return ElasticSpace.model_validate(TINY | changes)
