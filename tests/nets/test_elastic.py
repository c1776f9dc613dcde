"""A supernet's subnets are what they claim to be: the largest is the plain net, an extracted one the one in place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.space.elastic_spaces import tiny_elastic
from tinynas.errors import ModelError
from tinynas.nets.elastic import ElasticNetwork, load_supernet, save_supernet
from tinynas.nets.elastic_layers import KernelTransforms, centre_crop
from tinynas.nets.network import build_network
from tinynas.space.elastic import ElasticSpace
from tinynas.space.netspec import NetSpec

torch.set_num_threads(1)


def images(side: int, seed: int = 0, n: int = 8) -> Tensor:
    return torch.rand(n, 1, side, side, generator=torch.Generator().manual_seed(seed))


def shaken(space: ElasticSpace, seed: int = 0) -> ElasticNetwork:
    """A supernet with every parameter moved, gains and transforms included."""
    supernet = ElasticNetwork(space, seed)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in supernet.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator), alpha=0.1)
    return supernet


def specs(space: ElasticSpace, count: int) -> list[NetSpec]:
    rng = np.random.default_rng(0)
    return [space.netspec(space.sample(rng)) for _ in range(count)]


def test_largest_subnet_is_the_plain_net_bit_for_bit() -> None:
    space = tiny_elastic()
    spec = space.netspec(space.largest())
    plain, supernet = build_network(spec, seed=3).train(), ElasticNetwork(space, seed=3)
    x = images(16)
    assert torch.equal(plain(x), supernet(x, spec))
    plain(x).square().sum().backward()
    supernet(x, spec).square().sum().backward()
    for name, parameter in supernet.net.named_parameters():
        assert torch.equal(parameter.grad, plain.get_parameter(name).grad), name  # type: ignore[arg-type]


def test_extracted_equals_in_place() -> None:
    """In training mode, where both go by the batch; bit for bit."""
    space = tiny_elastic()
    supernet = shaken(space)
    for spec in specs(space, 12):
        x = images(spec.input_shape[0])
        assert torch.equal(supernet.uncalibrated(spec).train()(x), supernet(x, spec))


def test_extracted_has_the_statistics_of_the_batches() -> None:
    """Evaluated on the one batch that its statistics are of, an extracted net does what training mode does."""
    space = tiny_elastic()
    supernet = shaken(space)
    for spec in specs(space, 4):
        x = images(spec.input_shape[0], n=64)
        network = supernet.extract(spec, [x])
        assert not network.training
        # running variances are unbiased (n / (n - 1)), a batch's own are not: the smallest maps have 64 * 9 values
        torch.testing.assert_close(network(x), supernet(x, spec), rtol=0.02, atol=0.02)


def test_reestimation_is_deterministic() -> None:
    space = tiny_elastic()
    supernet = shaken(space)
    spec = specs(space, 1)[0]
    batches = [images(spec.input_shape[0], seed) for seed in range(3)]
    first, second = (supernet.extract(spec, batches).state_dict() for _ in range(2))
    assert all(torch.equal(value, second[key]) for key, value in first.items())


def test_subnets_share_weights() -> None:
    """A gradient of the smallest subnet reaches the largest's weights, and only the part that it uses."""
    space = tiny_elastic()
    supernet = ElasticNetwork(space, seed=0)
    spec = space.netspec(space.smallest())
    supernet(images(12), spec).sum().backward()
    block = supernet.net.get_submodule("stages.0.0")
    grad = block.get_parameter("depthwise.conv.weight").grad
    assert grad is not None and grad[:16, :, 2:5, 2:5].abs().min() > 0
    assert grad[16:].abs().max() == 0 and grad[:, :, 0].abs().max() == 0
    assert supernet.net.get_parameter("stages.0.1.project.conv.weight").grad is None


def test_identity_transform_is_the_centre_crop() -> None:
    weight = torch.randn(6, 1, 7, 7)
    transforms = KernelTransforms((3, 5, 7))
    assert torch.equal(transforms(weight, 7), weight)
    assert torch.equal(transforms(weight, 5), weight[:, :, 1:6, 1:6])
    assert torch.equal(transforms(weight, 3), weight[:, :, 2:5, 2:5])
    assert sum(p.numel() for p in transforms.parameters()) == 25 * 25 + 9 * 9


def test_three_comes_out_of_the_transformed_five() -> None:
    """Oracle: matrix products written out."""
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(4, 1, 7, 7, generator=generator)
    transforms = KernelTransforms((3, 5, 7))
    to5, to3 = (torch.randn(n, n, generator=generator) for n in (25, 9))
    with torch.no_grad():
        transforms.matrices["7to5"].copy_(to5)
        transforms.matrices["5to3"].copy_(to3)
    five = torch.stack([(to5 @ w[0, 1:6, 1:6].reshape(25)).reshape(1, 5, 5) for w in weight])
    three = torch.stack([(to3 @ w[0, 1:4, 1:4].reshape(9)).reshape(1, 3, 3) for w in five])
    torch.testing.assert_close(transforms(weight, 5), five)
    torch.testing.assert_close(transforms(weight, 3), three)


def test_centre_crop() -> None:
    weight = torch.arange(49.0).view(1, 1, 7, 7)
    assert centre_crop(weight, 3).flatten().tolist() == [16, 17, 18, 23, 24, 25, 30, 31, 32]


def test_sorting_changes_no_output_at_full_width() -> None:
    space = tiny_elastic()
    supernet = shaken(space)
    spec = space.netspec(space.largest())
    before_train, before_eval = supernet(images(16), spec), supernet.net.eval()(images(16))
    weights = supernet.net.get_parameter("stages.0.0.project.conv.weight").clone()
    supernet.sort_channels(space.shrunk(kernels=3, depths=3, expand_ratios=1))
    assert not torch.equal(weights, supernet.net.get_parameter("stages.0.0.project.conv.weight"))
    torch.testing.assert_close(supernet(images(16), spec), before_train, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(supernet.net.eval()(images(16)), before_eval, rtol=1e-4, atol=1e-5)


def test_sorted_by_what_the_project_convolution_reads() -> None:
    space = tiny_elastic()
    supernet = shaken(space)
    supernet.sort_channels(space.shrunk(kernels=3, depths=3, expand_ratios=1))
    for name in ("stages.0.0", "stages.0.1", "stages.1.2"):
        norms = _importance(supernet, name)
        assert (norms[:-1] >= norms[1:]).all()


def test_sorting_keeps_trained_groups_ahead() -> None:
    """Widths 24 and 32 of 32 channels are trained: their prefixes keep their channels, each sorted within."""
    space = tiny_elastic()
    supernet = shaken(space)
    before = _importance(supernet, "stages.0.0")
    supernet.sort_channels(space.shrunk(kernels=3, depths=3, expand_ratios=2))
    after = _importance(supernet, "stages.0.0")
    assert torch.equal(after[:24], before[:24].sort(descending=True).values)
    assert torch.equal(after[24:], before[24:].sort(descending=True).values)


def _importance(supernet: ElasticNetwork, name: str) -> Tensor:
    return supernet.net.get_parameter(f"{name}.project.conv.weight").detach().abs().sum((0, 2, 3))


def test_blocks_without_expansion_are_not_sorted() -> None:
    """Their channels are the block before's."""
    stage = {"out_channels": 8, "depths": (1, 2), "kernels": (3,), "expand_ratios": (1,)}
    space = tiny_elastic(stages=[stage])
    supernet = shaken(space)
    spec = space.netspec(space.largest())
    before = supernet(images(16), spec)
    supernet.sort_channels(space)
    assert torch.equal(supernet(images(16), spec), before)


def test_checkpoint(tmp_path: Path) -> None:
    space = tiny_elastic()
    supernet = shaken(space)
    save_supernet(tmp_path / "full.npz", supernet)
    save_supernet(tmp_path / "half.npz", supernet, half=True)
    spec, x = space.netspec(space.smallest()), images(12)
    full, half = (load_supernet(tmp_path / name) for name in ("full.npz", "half.npz"))
    assert full.space == space
    assert torch.equal(full(x, spec), supernet(x, spec))
    torch.testing.assert_close(half(x, spec), supernet(x, spec), rtol=0.05, atol=0.05)
    weights = sum(p.numel() for p in supernet.parameters())
    sizes = [(tmp_path / name).stat().st_size for name in ("full.npz", "half.npz")]
    assert sizes[0] - sizes[1] == pytest.approx(2 * weights, rel=0.01)


@pytest.mark.parametrize("damage", [lambda data: data[:100], lambda data: b"no archive"])
def test_a_damaged_checkpoint_is_named(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "supernet.npz"
    save_supernet(path, ElasticNetwork(tiny_elastic(), seed=0))
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ModelError, match=r"supernet\.npz"):
        load_supernet(path)


def test_another_networks_checkpoint_is_refused(tmp_path: Path) -> None:
    from tinynas.nets.checkpoint import save_network

    spec = specs(tiny_elastic(), 1)[0]
    save_network(tmp_path / "net.npz", build_network(spec, 0))
    with pytest.raises(ModelError, match="not a tinynas supernet"):
        load_supernet(tmp_path / "net.npz")
