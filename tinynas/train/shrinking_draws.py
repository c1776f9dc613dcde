"""What is random in an epoch of progressive shrinking: batches, subnets, augmentation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from tinynas.space.netspec import NetSpec
from tinynas.train.shrinking_config import Phase
from tinynas.train.shrinking_ranks import Ranks

_LEAST_FOR_SANDWICH = 3  # subnets per step


@dataclass(frozen=True)
class EpochDraws:
    """Fixed by the training's seed, the phase's place among the phases, and the epoch's in its phase."""

    seed: int
    place: int
    epoch: int

    def batches(self, images: int, size: int, ranks: Ranks) -> Iterator[Tensor]:
        """Each process's part of every shuffled whole batch; the remainder sits out this epoch."""
        order = torch.randperm(images, generator=torch.Generator().manual_seed(self._stream(0)))
        for batch in torch.split(order[: max(1, images // size) * size], size):
            yield batch[ranks.rank :: ranks.world]

    def subnets(self, phase: Phase, step: int, sandwich: bool) -> list[NetSpec]:
        """Drawn alike in every process; all at one resolution, that of this batch."""
        rng = np.random.default_rng([self._stream(0), step])
        space, count = phase.space, phase.config.subnets
        resolution = int(rng.integers(len(space.resolutions)))
        archs = [space.sample(rng) for _ in range(count)]
        if sandwich and count >= _LEAST_FOR_SANDWICH:
            archs = [space.largest(), *archs[1:-1], space.smallest()]
        return [space.netspec((resolution, *arch[1:])) for arch in archs]

    def generator(self, ranks: Ranks) -> torch.Generator:
        """For each process's own augmentation."""
        return torch.Generator().manual_seed(self._stream(ranks.rank + 1))

    def _stream(self, number: int) -> int:
        """A seed; stream 0 is common to all processes."""
        sequence = np.random.SeedSequence([self.seed, self.place, self.epoch, number])
        return int(sequence.generate_state(1, np.uint64)[0] >> 1)
