"""Spaces that the tests of `space` and `search` share."""

from __future__ import annotations

from tinynas.space.space import SearchSpace

SMALL = SearchSpace.model_validate(
    {
        "resolutions": [48, 64],
        "widths": [0.5, 0.55, 1.0],
        "stem": {"channels": 16},
        "head_channels": 64,
        "stages": [
            {"out_channels": 16, "stride": 2, "depths": [1, 2], "kernels": [3, 5], "expand_ratios": [2, 3, 6]},
            {"out_channels": 32, "stride": 2, "depths": [1, 2, 3], "kernels": [3, 7], "expand_ratios": [1, 1.2, 4]},
        ],
    }
)
"""0.5 and 0.55 round to the same channels; at width 0.5 so do the expand ratios 1 and 1.2 of the second stage."""

FACES = SearchSpace.model_validate(
    {
        "resolutions": [48, 64],
        "stem": {"channels": 8},
        "head_channels": 64,
        "stages": [
            {"out_channels": channels, "stride": 2, "depths": [1, 2], "kernels": [3, 5, 7], "expand_ratios": [2, 4, 6]}
            for channels in (16, 24, 40)
        ],
    }
)
"""Of a real experiment's size: 2 resolutions, 3 stages of 18 options each."""

WIDE = SearchSpace.model_validate(
    {
        "resolutions": [16, 24],
        "widths": [0.5, 1.0],
        "channels": [1, 3],
        "stem": {"channels": 8},
        "head_channels": 0,
        "stages": [
            {
                "out_channels": [8, 16],
                "stride": 2,
                "depths": [1],
                "kernels": [3],
                "expand_ratios": [1, 2],
                "cells": ["inverted_residual", "depthwise_separable"],
            },
            {
                "out_channels": [16, 24, 32],
                "stride": 2,
                "depths": [1, 2],
                "kernels": [3],
                "expand_ratios": [2],
                "attention": ["none", "squeeze_excite"],
                "activations": ["relu", "hard_swish"],
            },
        ],
    }
)
"""Lists of everything. Its widths have networks in common, as the stem is 8 channels wide at both; an inverted residual
that does not expand is a depthwise-separable block, which knows no expand ratio."""

EVERY_CELL = WIDE.with_changes(
    stages=[
        {
            "out_channels": [8, 16, 24],
            "stride": 2,
            "depths": [1, 2],
            "kernels": [3, 5],
            "expand_ratios": [1, 3],
            "cells": ["inverted_residual", "fused_inverted_residual", "depthwise_separable", "plain_residual"],
            "activations": ["relu", "relu6", "hard_swish"],
            "attention": ["none", "squeeze_excite"],
        }
    ]
    * 2
)
"""All kinds of blocks there are."""
