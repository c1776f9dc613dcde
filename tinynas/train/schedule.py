"""Learning rates over a training."""

from __future__ import annotations

import math


def cosine(step: int, steps: int, warmup_steps: int, peak: float) -> float:
    """Learning rate of `step` in [0, steps): a linear rise to `peak`, then half a cosine down to nearly 0."""
    if step < warmup_steps:
        return peak * (step + 1) / warmup_steps
    done = (step - warmup_steps + 0.5) / max(1, steps - warmup_steps)
    return peak * 0.5 * (1 + math.cos(math.pi * done))
