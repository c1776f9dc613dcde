from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinynas.predict.fitting_nets import spread


@given(st.integers(0, 1000), st.integers(1, 40), st.integers(1, 20))
def test_distinct_and_one_of_each_quantile(seed: int, n: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    score, cost = rng.normal(size=n), rng.normal(size=n)
    chosen = spread(score, cost, count)
    assert len(set(chosen)) == len(chosen) == min(count, n)
    ranks = np.argsort(np.argsort(score))[chosen]
    assert sorted(ranks) == list(ranks)
    widest = int(np.diff([0, *ranks, n - 1]).max())
    assert widest <= 2 * -(-n // len(chosen))


def test_costs_are_as_diverse_as_scores() -> None:
    """Even where score and cost go together, as NSR and MACs do, the chosen cover the costs better than a draw."""
    gaps = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        cost = rng.normal(size=300)
        score = cost + rng.normal(size=300)
        rank = np.argsort(np.argsort(cost))
        widest = [int(np.diff(np.sort(rank[picks])).max()) for picks in (spread(score, cost, 14), rng.choice(300, 14))]
        gaps.append(widest)
    ours, drawn = np.mean(gaps, axis=0)
    assert ours < 0.7 * drawn
