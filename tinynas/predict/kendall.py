"""Kendall's rank correlation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def kendall_tau(first: Sequence[float] | NDArray[np.float64], second: Sequence[float] | NDArray[np.float64]) -> float:
    """Kendall's tau-b (ties count half) of two rankings of n >= 2 things: 1 same order, -1 reversed.

    Undefined where one side is constant; 0.0 then, since such a ranking tells nothing.
    """
    from scipy.stats import kendalltau  # half a second to import

    tau = float(kendalltau(first, second).statistic)
    return 0.0 if np.isnan(tau) else tau
