from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from tests.distill.small import reference, space
from tinynas.distill.config import DistillConfig
from tinynas.distill.cost import library_cost
from tinynas.distill.library import stage_blocks
from tinynas.nets.network import Stage


def macs_of(module: nn.Module, x: torch.Tensor) -> tuple[float, torch.Tensor]:
    """Multiply-accumulates as torch counts them while it computes."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        out = module.eval()(x)
    return counter.get_total_flops() / 2, out


def test_entries_cost_what_they_compute_against_the_reference() -> None:
    """Half the images, two epochs, two entries of different stages."""
    net = reference()
    options = [(0, stage_blocks(space(), 0)[0]), (1, stage_blocks(space(), 1)[0])]
    whole, _ = macs_of(net, torch.zeros(1, 1, 16, 16))
    _, stem = macs_of(net.stem, torch.zeros(1, 1, 16, 16))
    first, between = macs_of(Stage(options[0][1]), stem)
    second, _ = macs_of(Stage(options[1][1]), between)
    cost = library_cost(net.spec, options, DistillConfig(epochs=2, images=160), train_images=320)
    assert cost.entries == pytest.approx(2 * 0.5 * (first + second) / whole)
    assert cost.features == pytest.approx(0.5 / 3)
    assert cost.epochs == pytest.approx(cost.entries + cost.features)


def test_more_images_than_there_are_cost_no_more() -> None:
    options = [(0, stage_blocks(space(), 0)[0])]
    all_of_them = library_cost(reference().spec, options, DistillConfig(images=320), 320)
    assert library_cost(reference().spec, options, DistillConfig(images=8000), 320) == all_of_them
