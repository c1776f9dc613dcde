"""`ElasticNetwork`: the supernet of Once-for-All (arXiv 1908.09791). Its weights are those of its largest subnet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import ValidationError
from torch import Tensor, nn

from tinynas.data.arrays import save_arrays
from tinynas.errors import ModelError
from tinynas.nets.checkpoint import load_checkpoint, state_of, tensors_of
from tinynas.nets.elastic_layers import KernelTransforms, block_weights, elastic_block, elastic_conv, sort_hidden
from tinynas.nets.network import Block, Network, Stage, build_network
from tinynas.nets.norm import reestimate
from tinynas.space.elastic import ElasticSpace
from tinynas.space.netspec import BlockSpec, NetSpec

_SPACE = "space"  # key of the JSON beside the tensors
_STATISTICS = (".running_mean", ".running_var", ".num_batches_tracked")  # of no subnet, so not worth keeping


class ElasticNetwork(nn.Module):
    """A network that runs as any of its space's subnets, for training; `extract` gives one to be used.

    `net` is the largest subnet as a plain network, `transforms` holds what smaller kernels need besides.
    """

    def __init__(self, space: ElasticSpace, seed: int) -> None:
        super().__init__()
        self.space = space
        self.net = build_network(space.netspec(space.largest()), seed)
        self.transforms = nn.ModuleList(
            nn.ModuleList(KernelTransforms(slot.kernels) for slot in slots) for slots in space.slots
        )

    def forward(self, x: Tensor, spec: NetSpec) -> Tensor:
        """Float (n, channels, side, side) in [0, 1] to logits (n, classes), as the subnet `spec` of the space does.

        The images have the subnet's resolution. BatchNorm goes by the batch, in training or not.
        """
        out = elastic_conv(x, self.net.stem)
        for _, block, transforms, chosen in self._blocks(spec):
            out = elastic_block(out, block, transforms, chosen)
        head = self.net.head
        wide = out if head.conv is None else elastic_conv(out, head.conv)
        logits: Tensor = head.classifier(wide.mean((2, 3)))
        return logits

    def extract(self, spec: NetSpec, batches: Iterable[Tensor]) -> Network:
        """The subnet `spec` as a network of its own, in evaluation mode.

        BatchNorm's statistics are re-estimated on `batches` (n, channels, side, side): the supernet has none that
        were right for a subnet.
        """
        network = self.uncalibrated(spec)
        reestimate(network, batches)
        return network

    @torch.no_grad()
    def uncalibrated(self, spec: NetSpec) -> Network:
        """The subnet with fresh BatchNorm statistics: good for training, not for use."""
        network = build_network(spec, seed=0).to(self.net.head.classifier.weight.device)
        state = self.net.state_dict()
        for name, block, transforms, chosen in self._blocks(spec):
            state |= {f"{name}.{part}.conv.weight": w for part, w in block_weights(block, transforms, chosen).items()}
        own = network.state_dict()
        for key, value in own.items():
            if not key.endswith(_STATISTICS):
                value.copy_(state[key][: len(value)])  # BatchNorm's first channels; others are the size already
        return network

    def sort_channels(self, trained: ElasticSpace) -> None:
        """Sort every block's hidden channels by importance, for widths smaller than those `trained` so far.

        The largest subnet computes the same as before, but for rounding.
        """
        for stage, slots in zip(self.net.stages, trained.slots, strict=True):
            assert isinstance(stage, Stage)
            for block, slot in zip(stage.blocks(), slots, strict=True):
                if block.expands:  # else its channels are those of the block before
                    sort_hidden(block, sorted(set(slot.hidden_channels)))

    def _blocks(self, spec: NetSpec) -> Iterator[tuple[str, Block, KernelTransforms, BlockSpec]]:
        """For each block of a subnet: prefix of its tensors, the full block, its transforms, and what to use of it."""
        for index, (stage, transforms, chosen) in enumerate(
            zip(self.net.stages, self.transforms, spec.stages, strict=True)
        ):
            assert isinstance(stage, Stage) and isinstance(transforms, nn.ModuleList)
            for number, (block, steps, part) in enumerate(zip(stage.blocks(), transforms, chosen, strict=False)):
                assert isinstance(steps, KernelTransforms)
                yield f"stages.{index}.{number}", block, steps, part


def save_supernet(path: Path, supernet: ElasticNetwork, *, half: bool = False) -> None:
    """Weights, kernel transforms and space in one .npz; `half` rounds to float16 and halves the file."""
    kind = np.float16 if half else np.float32
    arrays: dict[str, NDArray[Any]] = {
        key: value.astype(kind)
        for key, value in tensors_of(supernet.state_dict()).items()
        if not key.endswith(_STATISTICS)
    }
    save_arrays(path, {_SPACE: np.array(supernet.space.model_dump_json()), **arrays})


def load_supernet(path: Path) -> ElasticNetwork:
    """The supernet in `path`. Raises ModelError if the file is none of ours or does not match."""
    arrays = load_checkpoint(path)
    try:
        supernet = ElasticNetwork(ElasticSpace.model_validate_json(str(arrays.pop(_SPACE))), seed=0)
        weights = {key: value.to(torch.float32) for key, value in state_of(arrays).items()}
        supernet.load_state_dict({**supernet.state_dict(), **weights})
    except (KeyError, TypeError, ValidationError, RuntimeError) as error:
        raise ModelError(f"{path}: not a tinynas supernet ({error}); train it again or give another file") from error
    return supernet
