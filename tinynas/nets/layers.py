"""Convolutions that pad as TensorFlow's SAME, each with its BatchNorm and activation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from tinynas.space.netspec import ActivationName

ACTIVATIONS: dict[ActivationName, Callable[[Tensor], Tensor]] = {
    "none": lambda x: x,
    "relu": F.relu,
    "relu6": F.relu6,
    "hard_swish": F.hardswish,
    "hard_sigmoid": F.hardsigmoid,
}


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Pixels (before, after) that TensorFlow's SAME adds along one axis: the odd one goes to the end."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def convolve(x: Tensor, weight: Tensor, stride: int = 1, groups: int = 1) -> Tensor:
    """SAME-padded convolution without bias: (n, cin, h, w) to (n, cout, ceil(h / stride), ceil(w / stride)).

    weight (cout, cin / groups, kernel, kernel).
    """
    kernel = weight.shape[-1]
    top, bottom = same_padding(x.shape[2], kernel, stride)
    left, right = same_padding(x.shape[3], kernel, stride)
    if top == bottom and left == right:  # the convolution's own padding costs no copy
        return F.conv2d(x, weight, None, stride, (top, left), 1, groups)
    return F.conv2d(F.pad(x, (left, right, top, bottom)), weight, None, stride, 0, 1, groups)


class ConvBN(nn.Module):
    """Convolution without bias, BatchNorm, activation: one layer of the folded network.

    in (n, cin, h, w), out (n, cout, ceil(h / stride), ceil(w / stride)); depthwise if `depthwise`, where cin == cout.
    """

    def __init__(
        self,
        cin: int,
        cout: int,
        kernel: int = 1,
        stride: int = 1,
        depthwise: bool = False,
        activation: ActivationName = "none",
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(cin, cout, kernel, stride, groups=cin if depthwise else 1, bias=False)
        self.norm = nn.BatchNorm2d(cout)
        self.activation: ActivationName = activation
        nn.init.kaiming_normal_(self.conv.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        conv = self.conv
        return ACTIVATIONS[self.activation](self.norm(convolve(x, conv.weight, conv.stride[0], conv.groups)))

    def folded(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(weight, bias) with BatchNorm's running statistics folded in, in TFLite's layout.

        weight [cout, kh, kw, cin], depthwise [1, kh, kw, c]; bias [cout]. Computed in float64.
        """
        norm = self.norm
        assert norm.running_var is not None and norm.running_mean is not None
        scale = norm.weight.double() / torch.sqrt(norm.running_var.double() + norm.eps)
        weight = self.conv.weight.double() * scale[:, None, None, None]
        bias = norm.bias.double() - norm.running_mean.double() * scale
        order = (1, 2, 3, 0) if self.conv.groups > 1 else (0, 2, 3, 1)
        return _float32(weight.permute(order)), _float32(bias)


class ConvBias(nn.Module):
    """Convolution with a bias and no BatchNorm, activation; shapes as `ConvBN`'s."""

    def __init__(self, cin: int, cout: int, kernel: int, stride: int, activation: ActivationName) -> None:
        super().__init__()
        self.conv = nn.Conv2d(cin, cout, kernel, stride)
        self.activation: ActivationName = activation

    def forward(self, x: Tensor) -> Tensor:
        assert self.conv.bias is not None
        out = convolve(x, self.conv.weight, self.conv.stride[0]) + self.conv.bias[:, None, None]
        return ACTIVATIONS[self.activation](out)

    def folded(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(weight [cout, kh, kw, cin], bias [cout])."""
        assert self.conv.bias is not None
        return _float32(self.conv.weight.permute(0, 2, 3, 1)), _float32(self.conv.bias)


def _float32(values: Tensor) -> NDArray[np.float32]:
    return np.ascontiguousarray(values.detach().cpu().numpy(), np.float32)
