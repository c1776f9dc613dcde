"""BatchNorm statistics measured anew: running averages lag behind weights that have just moved."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn


def reestimate(module: nn.Module, batches: Iterable[Tensor]) -> None:
    """Replace every BatchNorm's running statistics by their plain mean over `batches`; ends in evaluation mode."""
    norms = [part for part in module.modules() if isinstance(part, nn.BatchNorm2d)]
    before = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # torch: average over all batches since the reset
    module.train()
    with torch.no_grad():
        for batch in batches:
            module(batch)
    for norm, momentum in zip(norms, before, strict=True):
        norm.momentum = momentum
    module.eval()
