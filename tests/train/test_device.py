"""Where a training runs: what is asked for is what is used, and it changes rounding only."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.train.test_supervised import digit_spec, few, short
from tinynas.errors import ConfigError
from tinynas.nets.network import Network, build_network
from tinynas.train.config import HardwareConfig
from tinynas.train.device import open_device
from tinynas.train.supervised import predict, train

HAS_CUDA = torch.cuda.is_available()


def trained(hardware: HardwareConfig) -> Network:
    network = build_network(digit_spec(), seed=0)
    train(network, few(), short(1), seed=0, hardware=hardware)
    return network


def largest_gap(a: Network, b: Network) -> float:
    """Between their class probabilities."""
    scores = [torch.softmax(torch.from_numpy(predict(net, few().images)), 1).numpy() for net in (a, b)]
    return float(np.abs(scores[0] - scores[1]).max())


@pytest.mark.skipif(HAS_CUDA, reason="this machine has CUDA")
def test_missing_cuda_is_an_error_not_a_fallback() -> None:
    with pytest.raises(ConfigError, match="no CUDA device"):
        open_device(HardwareConfig(device="cuda"))


@pytest.mark.skipif(not HAS_CUDA, reason="needs a CUDA device")
def test_cuda_trains_the_same_network() -> None:
    network = trained(HardwareConfig(device="cuda", bfloat16="off"))
    assert largest_gap(network, trained(HardwareConfig(device="cpu"))) < 0.05


def test_auto_takes_what_there_is_and_half_precision_only_where_it_is_fast() -> None:
    device = open_device(HardwareConfig())
    assert device.kind == ("cuda" if HAS_CUDA else "cpu")
    assert device.half == (HAS_CUDA and torch.cuda.is_bf16_supported())


def test_bfloat16_changes_rounding_only() -> None:
    seen: list[torch.dtype] = []
    network = build_network(digit_spec(), seed=0)
    network.stem.register_forward_hook(lambda _module, _inputs, output: seen.append(output.dtype))
    with open_device(HardwareConfig(device="cpu", bfloat16="on")).arithmetic():
        network.eval()(torch.rand(2, 1, 16, 16))
    plain, half = (trained(HardwareConfig(device="cpu", bfloat16=on)) for on in ("off", "on"))
    assert seen == [torch.bfloat16]
    assert 0 < largest_gap(plain, half) < 0.1
