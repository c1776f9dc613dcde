"""What the subnets of a supernet share (Once-for-All, arXiv 1908.09791 section 3.2): elastic kernel and width.

A subnet's layer is a part of the largest net's: the first channels, a kernel made out of the larger one's centre.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tinynas.nets.layers import ACTIVATIONS, ConvBN, convolve
from tinynas.nets.network import Block
from tinynas.space.netspec import BlockSpec


class KernelTransforms(nn.Module):
    """Small kernels of one layer out of its largest: the centre times a learned matrix, 7 to 5, then 5 to 3.

    One matrix per step, shared by all channels, the identity at first. A kernel two steps smaller takes both steps.
    """

    def __init__(self, kernels: Sequence[int]) -> None:
        super().__init__()
        self.steps = dict(itertools.pairwise(sorted(kernels, reverse=True)))
        self.matrices = nn.ParameterDict(
            {f"{large}to{small}": nn.Parameter(torch.eye(small * small)) for large, small in self.steps.items()}
        )

    def forward(self, weight: Tensor, kernel: int) -> Tensor:
        """Depthwise weights (c, 1, largest, largest) to (c, 1, kernel, kernel)."""
        while (large := weight.shape[-1]) > kernel:
            small = self.steps[large]
            centre = centre_crop(weight, small).flatten(2)
            weight = F.linear(centre, self.matrices[f"{large}to{small}"]).view(-1, 1, small, small)
        return weight


def centre_crop(weight: Tensor, kernel: int) -> Tensor:
    """The middle (..., kernel, kernel) of square kernels."""
    start = (weight.shape[-1] - kernel) // 2
    return weight[..., start : start + kernel, start : start + kernel]


def block_weights(block: Block, transforms: KernelTransforms, spec: BlockSpec) -> dict[str, Tensor]:
    """Convolution weights of the block `spec` inside the largest one, by the name of their layer."""
    hidden, convs = spec.hidden_channels, dict(block.convs())
    weights = {
        "depthwise": transforms(convs["depthwise"].conv.weight[:hidden], spec.kernel),
        "project": convs["project"].conv.weight[:, :hidden],
    }
    return {"expand": convs["expand"].conv.weight[:hidden], **weights} if "expand" in convs else weights


def elastic_block(x: Tensor, block: Block, transforms: KernelTransforms, spec: BlockSpec) -> Tensor:
    """The block `spec` inside the largest one, BatchNorm by the batch: shapes as `Block`'s."""
    weights = block_weights(block, transforms, spec)
    out = x
    for name, layer in block.convs():
        weight = weights[name]
        out = convolve(out, weight, layer.conv.stride[0], len(weight) if name == "depthwise" else 1)
        out = ACTIVATIONS[layer.activation](batch_normed(out, layer.norm))
    return x + out if spec.residual else out


def elastic_conv(x: Tensor, layer: ConvBN) -> Tensor:
    """A layer that all subnets have in full, BatchNorm by the batch."""
    out = convolve(x, layer.conv.weight, layer.conv.stride[0], layer.conv.groups)
    return ACTIVATIONS[layer.activation](batch_normed(out, layer.norm))


def batch_normed(x: Tensor, norm: nn.BatchNorm2d) -> Tensor:
    """Normalised by the batch's own statistics, the first channels' gains and biases.

    Running statistics are left alone: they would mix subnets, and would be right for none of them.
    """
    channels = x.shape[1]
    return F.batch_norm(x, None, None, norm.weight[:channels], norm.bias[:channels], True, 0.0, norm.eps)


def sort_hidden(block: Block, groups: Sequence[int]) -> None:
    """Put the hidden channels that matter most first: by the L1 norm of the weights that the project convolution has
    for them.

    `groups`: ascending numbers of hidden channels that were trained as a prefix; channels stay within their group.
    The block computes the same as before.
    """
    importance = block.conv("project").conv.weight.detach().abs().sum((0, 2, 3))
    bounds = itertools.pairwise((0, *groups))
    order = torch.cat([low + importance[low:high].argsort(descending=True, stable=True) for low, high in bounds])
    with torch.no_grad():
        for name, layer in block.convs():
            if name == "project":
                layer.conv.weight.copy_(layer.conv.weight[:, order])
            else:
                _reorder(layer, order)


def _reorder(layer: ConvBN, order: Tensor) -> None:
    """A layer's output channels in another order."""
    norm = layer.norm
    assert norm.running_mean is not None and norm.running_var is not None
    for values in (layer.conv.weight, norm.weight, norm.bias, norm.running_mean, norm.running_var):
        values.copy_(values[order])
