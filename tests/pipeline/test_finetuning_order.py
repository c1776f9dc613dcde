from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tinynas.pipeline.stages.finetune import finetuning_order
from tinynas.pipeline.stages.search import Found
from tinynas.search.pareto import non_dominated


def found(points: list[tuple[float, float]]) -> Found:
    """Networks named by their number, at (error, latency)."""
    archs = [(i,) for i in range(len(points))]
    kept = non_dominated(np.array(points))
    return Found(
        {arch: latency for arch, (_, latency) in zip(archs, points, strict=True)},
        {arch: 1 - error for arch, (error, _) in zip(archs, points, strict=True)},
        tuple(arch for arch, keep in zip(archs, kept, strict=True) if keep),
        {arch: (latency,) for arch, (_, latency) in zip(archs, points, strict=True)},
    )


POINTS = st.lists(st.tuples(st.integers(0, 64).map(lambda k: k / 64), st.floats(1, 1000)), min_size=1, max_size=20)


@given(POINTS, st.integers(1, 8))
def test_every_measured_network_once_and_the_front_first(points: list[tuple[float, float]], count: int) -> None:
    networks = found(points)
    order = finetuning_order(networks, count)
    assert sorted(order) == sorted(networks.latency_us)
    assert set(order[: len(networks.front)]) == set(networks.front)


def test_a_long_front_is_sampled_evenly_in_log_latency() -> None:
    """Nine on the front at 1, 2, 4, ... 256 us: three of them are the ends and the middle."""
    networks = found([(1 - i / 10, 2.0**i) for i in range(9)])
    assert set(finetuning_order(networks, 3)[:3]) == {(0,), (4,), (8,)}


def test_what_the_search_made_small_decides() -> None:
    """The last network is the slowest and least accurate: it is on the front by its flash alone."""
    networks = found([(0.1, 10.0), (0.2, 20.0), (0.3, 30.0)])
    assert finetuning_order(networks, 2) == [(0,), (1,), (2,)]
    by_flash = replace(networks, costs={(0,): (3.0,), (1,): (4.0,), (2,): (1.0,)})
    assert finetuning_order(by_flash, 2) == [(0,), (2,), (1,)]
    by_both = replace(networks, costs={(0,): (10.0, 3.0), (1,): (20.0, 4.0), (2,): (30.0, 1.0)})
    assert finetuning_order(by_both, 2) == [(0,), (2,), (1,)]
