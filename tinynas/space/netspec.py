"""`NetSpec`: a network before it has weights. Built from an arch without torch; `nets` and `graph` build on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

LayerKind = Literal["conv", "depthwise", "add", "mul", "global_pool", "linear", "softmax"]
Nonlinearity = Literal["relu", "relu6", "hard_swish"]
ActivationName = Literal["none", Nonlinearity, "hard_sigmoid"]
AttentionName = Literal["none", "squeeze_excite"]


@dataclass(frozen=True)
class LayerSpec:
    """One layer after BatchNorm folding; shapes are (height, width, channels), the batch is 1.

    `name` is unique, the key of its weights ("<name>.weight", "<name>.bias") and of its output tensor.
    `inputs` name earlier layers, or "input". Convolutions pad as TensorFlow's SAME. The second input of a "mul" has
    one factor per channel.
    """

    name: str
    kind: LayerKind
    inputs: tuple[str, ...]
    in_shape: tuple[int, int, int]  # of inputs[0]
    out_shape: tuple[int, int, int]
    kernel: int = 1
    stride: int = 1
    activation: ActivationName = "none"

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one inference."""
        h, w, c = self.out_shape
        area, cin = self.kernel**2, self.in_shape[2]
        per_output = {"conv": area * cin, "depthwise": area, "linear": cin}
        return h * w * c * per_output.get(self.kind, 0)


@dataclass(frozen=True)
class BlockSpec:
    """One block of a stage: a cell (`space.cells`) of this size.

    The default is an inverted residual (MobileNetV2, arXiv 1801.04381 fig. 3): 1x1 expand (absent where
    hidden_channels == in_channels), depthwise, 1x1 project.
    """

    in_channels: int
    hidden_channels: int  # between its first and last convolution, in cells that expand
    out_channels: int
    kernel: int
    stride: int
    activation: ActivationName = "relu6"
    cell: str = "inverted_residual"
    attention: AttentionName = "none"

    @property
    def residual(self) -> bool:
        """Whether input and output are of one shape, so that a cell may add them up."""
        return self.stride == 1 and self.in_channels == self.out_channels


@dataclass(frozen=True)
class NetSpec:
    """Stem convolution, stages of blocks, head (1x1 convolution, global average pool, linear, softmax)."""

    input_shape: tuple[int, int, int]  # height, width, channels
    classes: int
    stem_channels: int
    stem_stride: int
    stages: tuple[tuple[BlockSpec, ...], ...]
    head_channels: int  # 0: no head convolution
    activation: ActivationName = "relu6"
