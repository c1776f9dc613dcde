"""The vocabulary in which a cell describes itself, once: both its torch module and its int8 graph follow from it."""

from __future__ import annotations

from dataclasses import dataclass

from tinynas.space.channels import round_channels
from tinynas.space.netspec import ActivationName, AttentionName, LayerKind

CELL_INPUT = "input"
SQUEEZE_RATIO = 4  # hidden channels to squeezed ones (MobileNetV3, arXiv 1905.02244 section 5.3)


@dataclass(frozen=True)
class Part:
    """One layer of a cell at any resolution. Convolutions pad as SAME and have a BatchNorm or, without, a bias."""

    name: str  # unique in the cell; the layer's name is "s<stage>b<block>.<name>"
    kind: LayerKind
    inputs: tuple[str, ...]  # names of earlier parts, or CELL_INPUT
    in_channels: int  # of inputs[0]
    out_channels: int
    kernel: int = 1
    stride: int = 1
    activation: ActivationName = "none"
    norm: bool = True

    @property
    def has_weights(self) -> bool:
        return self.kind in ("conv", "depthwise")


class Chain:
    """Parts one after the other; each reads the one before it."""

    def __init__(self, channels: int) -> None:
        self.parts: list[Part] = []
        self._at = CELL_INPUT
        self._in_channels = self._channels = channels

    def conv(
        self,
        name: str,
        channels: int,
        kernel: int = 1,
        stride: int = 1,
        activation: ActivationName = "none",
        *,
        norm: bool = True,
    ) -> None:
        """A convolution to `channels`."""
        self._append("conv", name, channels, kernel, stride, activation, norm)

    def depthwise(self, name: str, kernel: int, stride: int, activation: ActivationName) -> None:
        """A convolution of each channel by itself."""
        self._append("depthwise", name, self._channels, kernel, stride, activation)

    def attention(self, name: AttentionName) -> None:
        """Channels weighed by what the whole map holds; a convolution must follow (`graph.lower` says why).

        "squeeze_excite" (arXiv 1709.01507) with MobileNetV3's hard sigmoid: the channels' means through two 1x1
        convolutions give each channel's factor, between 0 and 1.
        """
        if name == "none":
            return
        weighed, channels = self._at, self._channels
        self._append("global_pool", "se_pool", channels)
        self._append("conv", "se_reduce", round_channels(channels / SQUEEZE_RATIO), activation="relu", norm=False)
        self._append("conv", "se_gate", channels, activation="hard_sigmoid", norm=False)
        self._join("mul", "se_scale", weighed)

    def add_input(self, name: str) -> None:
        """The sum with the cell's input."""
        self._join("add", name, CELL_INPUT)

    def _append(
        self,
        kind: LayerKind,
        name: str,
        channels: int,
        kernel: int = 1,
        stride: int = 1,
        activation: ActivationName = "none",
        norm: bool = True,
    ) -> None:
        self.parts.append(
            Part(name, kind, (self._at,), self._channels, channels, kernel, stride, activation, norm),
        )
        self._at, self._channels = name, channels

    def _join(self, kind: LayerKind, name: str, other: str) -> None:
        """`other` first: of two maps it is the one that the result may take the place of."""
        self.parts.append(Part(name, kind, (other, self._at), self._channels, self._channels))
        self._at = name
