"""A score of an untrained network, to judge the accuracy predictor against: NASWOT (Mellor et al., arXiv 2006.04647).

Two images that switch on the same activations look alike to the network. With binary codes c of all rectified
activations, K[i, j] = number of equal entries of c_i and c_j; the score is log |det K|: larger means that a batch is
told apart better.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tinynas.data.images import at_resolution
from tinynas.nets.layers import ConvBN
from tinynas.nets.network import build_network
from tinynas.space.netspec import NetSpec
from tinynas.train.augment import to_float


def naswot(spec: NetSpec, images: NDArray[np.uint8], seed: int) -> float:
    """The score of a freshly initialised `spec` on a batch of images (n, h, w, c), resized to its input."""
    network = build_network(spec, seed)
    network.train()  # BatchNorm by the batch: its running statistics say nothing yet
    kernel = torch.zeros(len(images), len(images), dtype=torch.float64)

    def add(_module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
        codes = (output > 0).flatten(1).float()
        kernel.add_(codes @ codes.T + (1 - codes) @ (1 - codes).T)

    for module in network.modules():
        if isinstance(module, ConvBN) and module.activation != "none":
            module.register_forward_hook(add)
    with torch.no_grad():
        network(to_float(torch.from_numpy(at_resolution(images, spec.input_shape[0]))))
    return float(torch.linalg.slogdet(kernel).logabsdet)
