from __future__ import annotations

import pytest

from tinynas.space.channels import round_channels
from tinynas.space.layers import layers
from tinynas.space.mobilenet import scaled_mobilenet_v1, scaled_mobilenet_v2


@pytest.mark.parametrize(
    ("channels", "multiple", "expected"),
    [(11.2, 8, 16), (22.4, 8, 24), (33.6, 8, 32), (8.4, 8, 8), (3, 8, 8), (12, 8, 16), (12, 4, 12), (5.6, 4, 8)],
)
def test_rounding_agrees_with_the_published_networks(channels: float, multiple: int, expected: int) -> None:
    """11.2, 22.4, 33.6 are MobileNetV2 0.35's 32, 64, 96 channels; its checkpoints have 16, 24, 32."""
    assert round_channels(channels, multiple) == expected


def test_rounding_never_loses_a_tenth() -> None:
    for channels in range(1, 500):
        assert round_channels(channels) >= 0.9 * channels
        assert round_channels(channels) % 8 == 0


def test_full_size_net_has_the_paper_s_macs() -> None:
    """Table 4 of the paper: 300 M multiply-adds at width 1, 224 pixels, 1000 classes."""
    macs = sum(layer.macs for layer in layers(scaled_mobilenet_v2(1.0, 224, 3, 1000)))
    assert macs == pytest.approx(300e6, rel=0.01)


def test_widths_order_the_baselines() -> None:
    macs = [sum(layer.macs for layer in layers(scaled_mobilenet_v2(w, 64, 1, 2))) for w in (0.1, 0.2, 0.35)]
    assert macs == sorted(macs)
    assert macs[0] < macs[-1] / 2


def test_v1_has_the_published_macs() -> None:
    """Table 4 of the paper: 569 M at width 1, 224 pixels; MLPerf Tiny's person detection is x0.25 at 96: 7.49 M."""
    full, tiny = scaled_mobilenet_v1(1.0, 224, 3, 1000), scaled_mobilenet_v1(0.25, 96, 3, 2)
    assert sum(layer.macs for layer in layers(full)) == pytest.approx(569e6, rel=0.002)
    assert sum(layer.macs for layer in layers(tiny)) == pytest.approx(7.49e6, rel=0.001)
    assert "add" not in {layer.kind for layer in layers(full)}
