"""Processes that train one supernet together, started by torchrun: each has a share of every batch."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, distributed

from tinynas.errors import ToolError
from tinynas.train.config import HardwareConfig
from tinynas.train.device import open_device


@dataclass(frozen=True)
class Ranks:
    """This process among those that train together."""

    rank: int = 0
    world: int = 1

    def average(self, values: Iterable[Tensor]) -> None:
        """Replace each of the tensors by its mean over all processes, in one message."""
        together = list(values)
        if self.world == 1 or not together:
            return
        flat = torch.cat([value.flatten() for value in together])
        distributed.all_reduce(flat)
        flat /= self.world
        for value, mean in zip(together, torch.split(flat, [value.numel() for value in together]), strict=True):
            value.copy_(mean.view_as(value))

    def require_equal(self, values: Iterable[Tensor]) -> None:
        """Raise `ToolError` where the processes hold different tensors: then some step was not shared."""
        if self.world == 1:
            return
        total = torch.stack([value.double().sum() for value in values]).sum()
        least, most = total.clone(), total.clone()
        distributed.all_reduce(least, distributed.ReduceOp.MIN)
        distributed.all_reduce(most, distributed.ReduceOp.MAX)
        if not torch.equal(least, most):
            raise ToolError(
                f"the {self.world} processes ended with different weights, so this training is worth nothing; remove "
                "its checkpoint, and train on machines of one kind"
            )

    def wait(self) -> None:
        """Until all processes are here."""
        if self.world > 1:
            distributed.barrier()


@contextmanager
def torchrun_ranks(hardware: HardwareConfig) -> Iterator[Ranks]:
    """What torchrun's environment says; one process alone where there is none.

    On CUDA each process has the GPU of its local rank, and they talk by NCCL; on CPUs by gloo.
    """
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        yield Ranks()
        return
    on_cuda = open_device(hardware).kind == "cuda"
    if on_cuda:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    distributed.init_process_group("nccl" if on_cuda else "gloo")
    try:
        yield Ranks(distributed.get_rank(), world)
    finally:
        distributed.destroy_process_group()
