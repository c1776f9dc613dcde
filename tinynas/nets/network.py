"""`Network`: the torch module of a `NetSpec`, and its folded weights under the names of `space.layers`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tinynas.nets.layers import ConvBias, ConvBN
from tinynas.space.cell import parts_of
from tinynas.space.netspec import BlockSpec, NetSpec
from tinynas.space.parts import CELL_INPUT, Part

Layer = ConvBN | ConvBias

LAST_NORM = 0.25  # initial gain of a residual branch: small, so that a deep stage starts near the identity


class Block(nn.Module):
    """One block, built from its cell's parts; a part's module has the part's name.

    in (n, in_channels, h, w), out (n, out_channels, ceil(h / stride), ceil(w / stride)).
    """

    def __init__(self, spec: BlockSpec) -> None:
        super().__init__()
        self.spec = spec
        self.parts = parts_of(spec)
        for part in self.parts:
            if part.has_weights:
                self.add_module(part.name, _layer(part))
        if self.is_sum:
            nn.init.constant_(self.last.norm.weight, LAST_NORM)

    @property
    def is_sum(self) -> bool:
        """Whether the block adds to its input."""
        return self.parts[-1].kind == "add"

    @property
    def last(self) -> ConvBN:
        """The convolution that gives the output or, in a sum, what is added to the input."""
        *_, (_, conv) = self.convs()
        return conv

    def forward(self, x: Tensor) -> Tensor:
        values = {CELL_INPUT: x}
        for part in self.parts:
            inputs = (values[name] for name in part.inputs)
            compute = getattr(self, part.name) if part.has_weights else _WITHOUT_WEIGHTS[part.kind]
            values[part.name] = compute(*inputs)
        return values[self.parts[-1].name]

    def layers(self) -> Iterator[tuple[str, Layer]]:
        """What has weights, by the names of its parts, in order."""
        for name, module in self.named_children():
            assert isinstance(module, ConvBN | ConvBias)
            yield name, module

    def layer(self, name: str) -> Layer:
        """The layer of this part. Raises KeyError if there is none."""
        return dict(self.layers())[name]

    def convs(self) -> Iterator[tuple[str, ConvBN]]:
        """Its layers with BatchNorm: all but those of the attention."""
        for name, layer in self.layers():
            if isinstance(layer, ConvBN):
                yield name, layer

    def conv(self, name: str) -> ConvBN:
        """The layer with BatchNorm of this part. Raises KeyError if there is none."""
        return dict(self.convs())[name]

    @property
    def expands(self) -> bool:
        """Whether a convolution makes the hidden channels from the input's."""
        return "expand" in dict(self.convs())

    def folded(self) -> dict[str, NDArray[np.float32]]:
        """Weights and biases by part, "<part>.weight", with the hard sigmoid's constants in them (`graph.lower`)."""
        weighed = {part.name for part in self.parts if part.kind == "mul"}
        weights = {}
        for part in self.parts:
            if part.has_weights:
                weight, bias = self.layer(part.name).folded()
                weights[f"{part.name}.weight"] = weight / np.float32(6) if weighed & {*part.inputs} else weight
                weights[f"{part.name}.bias"] = bias + np.float32(3) if part.activation == "hard_sigmoid" else bias
        return weights


_WITHOUT_WEIGHTS: dict[str, Callable[..., Tensor]] = {
    "add": torch.add,
    "mul": torch.mul,
    "global_pool": lambda x: x.mean((2, 3), keepdim=True),
}


def _layer(part: Part) -> Layer:
    if not part.norm:
        return ConvBias(part.in_channels, part.out_channels, part.kernel, part.stride, part.activation)
    depthwise = part.kind == "depthwise"
    return ConvBN(part.in_channels, part.out_channels, part.kernel, part.stride, depthwise, part.activation)


class Stage(nn.Sequential):
    """The blocks of one stage: the unit that DONNA's library exchanges."""

    def __init__(self, blocks: tuple[BlockSpec, ...]) -> None:
        super().__init__(*(Block(block) for block in blocks))

    def blocks(self) -> Iterator[Block]:
        for block in self:
            assert isinstance(block, Block)
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
        logits: Tensor = self.classifier(self.embed(x))
        return logits

    def embed(self, x: Tensor) -> Tensor:
        """What the classifier sees: (n, width)."""
        wide = x if self.conv is None else self.conv(x)
        return wide.mean((2, 3))


class Network(nn.Module):
    """A network with weights. Input float (n, channels, height, width) in [0, 1], output logits (n, classes)."""

    def __init__(self, spec: NetSpec) -> None:
        super().__init__()
        self.spec = spec
        self.stem = ConvBN(spec.input_shape[2], spec.stem_channels, 3, spec.stem_stride, activation=spec.activation)
        self.stages = nn.ModuleList(Stage(blocks) for blocks in spec.stages)
        self.head = Head(spec)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(self._body(x))
        return logits

    def embed(self, x: Tensor) -> Tensor:
        """The features that the classifier sees: (n, width)."""
        return self.head.embed(self._body(x))

    def _body(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for stage in self.stages:
            x = stage(x)
        return x

    def folded_weights(self) -> dict[str, NDArray[np.float32]]:
        """Weights as the float network on the board has them: BatchNorm folded, TFLite's layout (`ConvBN.folded`).

        Keys are "<layer>.weight" and "<layer>.bias" for each layer of `space.layers.layers(spec)` that has weights;
        "classifier.weight" is [classes, 1, 1, channels], a 1x1 convolution's.
        """
        weights = _named("stem", self.stem)
        for index, stage in enumerate(self.stages):
            assert isinstance(stage, Stage)
            for number, block in enumerate(stage.blocks()):
                weights |= {f"s{index}b{number}.{name}": values for name, values in block.folded().items()}
        if self.head.conv is not None:
            weights |= _named("head", self.head.conv)
        classifier = self.head.classifier
        weights["classifier.weight"] = classifier.weight.detach().cpu().numpy()[:, None, None, :].copy()
        weights["classifier.bias"] = classifier.bias.detach().cpu().numpy().copy()
        return weights


def _named(name: str, conv: ConvBN) -> dict[str, NDArray[np.float32]]:
    weight, bias = conv.folded()
    return {f"{name}.weight": weight, f"{name}.bias": bias}


def build_network(spec: NetSpec, seed: int) -> Network:
    """A network with initial weights drawn from `seed` alone; torch's global generator is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Network(spec)
