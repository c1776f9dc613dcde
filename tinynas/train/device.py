"""Where a training runs: processor, number format of the arithmetic, compilation. It changes rounding only."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Literal, TypeVar

import torch
from torch import Tensor, nn

from tinynas.errors import ConfigError
from tinynas.train.config import HardwareConfig

M = TypeVar("M", bound=nn.Module)


@dataclass(frozen=True)
class Device:
    """A processor and how it is used."""

    kind: Literal["cpu", "cuda"]
    half: bool  # matrix products and convolutions in bfloat16, by autocast
    compiled: bool

    def placed(self, network: M) -> M:
        """`network` on the device, activations of a pixel side by side (channels_last): convolutions want it so."""
        return network.to(self.kind, memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]

    def stepped(self, network: nn.Module) -> nn.Module:
        """What a training step calls: `network`, or its compiled form with the same parameters."""
        return torch.compile(network) if self.compiled else network  # type: ignore[return-value]

    def moved(self, batch: Tensor) -> Tensor:
        """A batch on the device; through pinned memory, so that the copy runs beside the computation."""
        return batch.pin_memory().to(self.kind, non_blocking=True) if self.kind == "cuda" else batch

    def arithmetic(self) -> AbstractContextManager[object]:
        """Around forward passes and losses; backward passes follow suit."""
        return torch.autocast(self.kind, torch.bfloat16) if self.half else nullcontext()


CPU = Device("cpu", half=False, compiled=False)


def open_device(config: HardwareConfig) -> Device:
    """The device that `config` asks for.

    Raises:
        ConfigError: CUDA is asked for and this machine, or this build of torch, has none.
    """
    has_cuda = torch.cuda.is_available()
    if config.device == "cuda" and not has_cuda:
        raise ConfigError(
            f"hardware.device: no CUDA device here (torch {torch.__version__}); "
            "take device = 'auto', or install a torch with CUDA"
        )
    kind: Literal["cpu", "cuda"] = "cuda" if has_cuda and config.device != "cpu" else "cpu"
    # bfloat16 on CPUs is slower for depthwise convolutions even with AVX512-BF16 (`python -m bench.training`)
    half = config.bfloat16 == "on" or (config.bfloat16 == "auto" and kind == "cuda" and torch.cuda.is_bf16_supported())
    return Device(kind, half, config.compile)
