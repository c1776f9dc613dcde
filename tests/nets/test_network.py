"""The torch network is the network that the board gets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.graph.floats import run_float
from tinynas.graph.ir import DType
from tinynas.graph.lower import bind, lower
from tinynas.nets.layers import ConvBN, same_padding
from tinynas.nets.network import Network, build_network
from tinynas.space.layers import layers
from tinynas.space.mobilenet import inverted_residuals
from tinynas.space.netspec import NetSpec

torch.set_num_threads(1)


def small_spec(side: int = 17, channels: int = 3, head: int = 12) -> NetSpec:
    """Odd sizes, both strides, residual and plain blocks, with and without expansion."""
    stages = (
        inverted_residuals(8, 8, 1, depth=1, kernel=3, expand_ratio=1.0),
        inverted_residuals(8, 16, 2, depth=2, kernel=5, expand_ratio=3.0),
        inverted_residuals(16, 24, 2, depth=1, kernel=3, expand_ratio=2.0, activation="relu"),
    )
    return NetSpec((side, side, channels), 3, 8, 2, stages, head)


def with_lively_norms(network: Network, seed: int) -> Network:
    """Random BatchNorm statistics and gains: initial ones would hide a mistake in folding."""
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            for tensor, low, high in (
                (module.weight, 0.5, 1.5), (module.bias, -0.5, 0.5),
                (module.running_mean, -0.3, 0.3), (module.running_var, 0.5, 2.0),
            ):  # fmt: skip
                assert isinstance(tensor, Tensor)
                with torch.no_grad():
                    tensor.copy_(torch.rand(tensor.shape, generator=generator) * (high - low) + low)
    return network.eval()


@pytest.mark.parametrize("side", [16, 17])
@pytest.mark.parametrize("head", [0, 12])
def test_equals_the_lowered_float_graph(side: int, head: int) -> None:
    """TensorFlow Lite's float kernels on the folded weights give torch's outputs: padding, folding, names, layout."""
    network = with_lively_norms(build_network(small_spec(side, head=head), seed=1), seed=2)
    graph = bind(lower(network.spec, DType.FLOAT32), network.folded_weights())
    samples = np.random.default_rng(0).random((4, side, side, 3), np.float32)
    (found,) = run_float(graph, samples, graph.outputs)
    with torch.no_grad():
        wanted = network(torch.from_numpy(samples).permute(0, 3, 1, 2)).softmax(1).numpy()
    np.testing.assert_allclose(found.reshape(wanted.shape), wanted, atol=1e-4)


def test_folded_weights_have_the_names_of_the_layers() -> None:
    network = build_network(small_spec(), seed=0)
    weighted = [layer.name for layer in layers(network.spec) if layer.kind in ("conv", "depthwise", "linear")]
    assert set(network.folded_weights()) == {f"{name}.{part}" for name in weighted for part in ("weight", "bias")}


@pytest.mark.parametrize("kernel", [1, 3, 5, 7])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", [7, 8, 12])
def test_same_padding_gives_the_ceiling(kernel: int, stride: int, size: int) -> None:
    """SAME yields ceil(size / stride) outputs and puts the odd pixel behind."""
    before, after = same_padding(size, kernel, stride)
    assert 0 <= after - before <= 1
    x = torch.zeros(1, 2, size, size + 1)
    out = ConvBN(2, 4, kernel, stride)(x)
    assert out.shape == (1, 4, -(-size // stride), -(-(size + 1) // stride))


def test_a_seed_fixes_the_weights_and_leaves_torch_alone() -> None:
    state = torch.random.get_rng_state()
    first, second, other = (build_network(small_spec(), seed).state_dict() for seed in (3, 3, 4))
    assert torch.equal(torch.random.get_rng_state(), state)
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert not torch.equal(first["stem.conv.weight"], other["stem.conv.weight"])


def test_any_resolution_runs() -> None:
    """Weights do not depend on the resolution, so that one set serves all of a space's."""
    network = build_network(small_spec(16), seed=0).eval()
    other = Network(replace(network.spec, input_shape=(20, 20, 3)))
    other.load_state_dict(network.state_dict())
    assert other.eval()(torch.zeros(2, 3, 20, 20)).shape == (2, 3)
