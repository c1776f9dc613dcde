"""Networks that people would take without a search: MobileNets at several widths, and one drawn by hand."""

from __future__ import annotations

from tinynas.space.mobilenet import inverted_residuals, scaled_mobilenet_v1, scaled_mobilenet_v2
from tinynas.space.netspec import NetSpec

V1_WIDTHS = (0.25,)
V2_WIDTHS = (0.1, 0.35)


def baselines(resolution: int, channels: int, classes: int) -> dict[str, NetSpec]:
    """By name."""
    shape = (resolution, channels, classes)
    return {
        **{f"MobileNetV1 x{width:g}": scaled_mobilenet_v1(width, *shape) for width in V1_WIDTHS},
        **{f"MobileNetV2 x{width:g}": scaled_mobilenet_v2(width, *shape) for width in V2_WIDTHS},
        "MCUNet-like": mcunet_like(*shape),
    }


def mcunet_like(resolution: int, channels: int, classes: int) -> NetSpec:
    """By hand, in the manner of the networks that MCUNet (arXiv 2007.10319) found for small boards.

    Few channels while the maps are large, mixed kernels with the large ones late, expand ratios of 3 to 5, small steps
    in width from stage to stage.
    """
    table = ((8, 1, 1, 3, 1), (16, 2, 2, 5, 3), (24, 2, 2, 5, 4), (40, 2, 2, 7, 4), (48, 1, 2, 5, 4), (96, 2, 2, 7, 5))
    stages, cin = [], 8
    for cout, stride, depth, kernel, expand in table:
        stages.append(inverted_residuals(cin, cout, stride, depth=depth, kernel=kernel, expand_ratio=expand))
        cin = cout
    return NetSpec((resolution, resolution, channels), classes, 8, 2, tuple(stages), 160)
