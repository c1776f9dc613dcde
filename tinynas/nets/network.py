"""`Network`: the torch module of a `NetSpec`, and its folded weights under the names of `space.layers`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tinynas.nets.layers import ConvBN
from tinynas.space.netspec import BlockSpec, NetSpec

LAST_NORM = 0.25  # initial gain of a residual branch: small, so that a deep stage starts near the identity


class InvertedResidual(nn.Module):
    """MobileNetV2's block (arXiv 1801.04381, fig. 3): expand 1x1, depthwise, project 1x1, plus the input if it can.

    in (n, in_channels, h, w), out (n, out_channels, ceil(h / stride), ceil(w / stride)).
    """

    def __init__(self, spec: BlockSpec) -> None:
        super().__init__()
        hidden, act = spec.hidden_channels, spec.activation
        self.spec = spec
        self.expand = ConvBN(spec.in_channels, hidden, activation=act) if hidden != spec.in_channels else None
        self.depthwise = ConvBN(hidden, hidden, spec.kernel, spec.stride, depthwise=True, activation=act)
        self.project = ConvBN(hidden, spec.out_channels)
        if spec.residual:
            nn.init.constant_(self.project.norm.weight, LAST_NORM)

    def forward(self, x: Tensor) -> Tensor:
        wide = x if self.expand is None else self.expand(x)
        out: Tensor = self.project(self.depthwise(wide))
        return x + out if self.spec.residual else out

    def convs(self) -> Iterator[tuple[str, ConvBN]]:
        """Its convolutions by the last part of their layer's name, in order."""
        if self.expand is not None:
            yield "expand", self.expand
        yield "depthwise", self.depthwise
        yield "project", self.project


class Stage(nn.Sequential):
    """The blocks of one stage: the unit that DONNA's library exchanges."""

    def __init__(self, blocks: tuple[BlockSpec, ...]) -> None:
        super().__init__(*(InvertedResidual(block) for block in blocks))

    def blocks(self) -> Iterator[InvertedResidual]:
        for block in self:
            assert isinstance(block, InvertedResidual)
            yield block


class Head(nn.Module):
    """1x1 convolution (unless head_channels is 0), average pool, linear: (n, c, h, w) to logits (n, classes)."""

    def __init__(self, spec: NetSpec) -> None:
        super().__init__()
        cin = spec.stages[-1][-1].out_channels if spec.stages else spec.stem_channels
        width = spec.head_channels or cin
        self.conv = ConvBN(cin, width, activation=spec.activation) if spec.head_channels else None
        self.classifier = nn.Linear(width, spec.classes)

    def forward(self, x: Tensor) -> Tensor:
        wide = x if self.conv is None else self.conv(x)
        logits: Tensor = self.classifier(wide.mean((2, 3)))
        return logits


class Network(nn.Module):
    """A network with weights. Input float (n, channels, height, width) in [0, 1], output logits (n, classes)."""

    def __init__(self, spec: NetSpec) -> None:
        super().__init__()
        self.spec = spec
        self.stem = ConvBN(spec.input_shape[2], spec.stem_channels, 3, spec.stem_stride, activation=spec.activation)
        self.stages = nn.ModuleList(Stage(blocks) for blocks in spec.stages)
        self.head = Head(spec)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for stage in self.stages:
            x = stage(x)
        logits: Tensor = self.head(x)
        return logits

    def folded_weights(self) -> dict[str, NDArray[np.float32]]:
        """Weights as the float network on the board has them: BatchNorm folded, TFLite's layout (`ConvBN.folded`).

        Keys are "<layer>.weight" and "<layer>.bias" for each layer of `space.layers.layers(spec)` that has weights;
        "classifier.weight" is [classes, 1, 1, channels], a 1x1 convolution's.
        """
        weights = {}
        for name, conv in self._convs():
            weights[f"{name}.weight"], weights[f"{name}.bias"] = conv.folded()
        classifier = self.head.classifier
        weights["classifier.weight"] = classifier.weight.detach().cpu().numpy()[:, None, None, :].copy()
        weights["classifier.bias"] = classifier.bias.detach().cpu().numpy().copy()
        return weights

    def _convs(self) -> Iterator[tuple[str, ConvBN]]:
        yield "stem", self.stem
        for index, stage in enumerate(self.stages):
            assert isinstance(stage, Stage)
            for number, block in enumerate(stage.blocks()):
                for part, conv in block.convs():
                    yield f"s{index}b{number}.{part}", conv
        if self.head.conv is not None:
            yield "head", self.head.conv


def build_network(spec: NetSpec, seed: int) -> Network:
    """A network with initial weights drawn from `seed` alone; torch's global generator is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Network(spec)
