from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynas.errors import StoreError
from tinynas.pipeline.config import FinetuneConfig
from tinynas.pipeline.files import write_json
from tinynas.pipeline.finetuning_order import finetuning_order
from tinynas.pipeline.progress import Silent
from tinynas.pipeline.stages.finetune import _curve, _place, _Work
from tinynas.pipeline.stages.search import Found
from tinynas.search.pareto import non_dominated
from tinynas.train.config import TrainConfig


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


class Counted(Silent):
    """What was expected."""

    def __init__(self) -> None:
        self.totals: list[int] = []

    def expect(self, total: int) -> None:
        self.totals.append(total)


def test_a_short_front_is_expected_to_take_more_networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All are equally accurate, so the fastest alone is not dominated and finetuning goes on to its limit."""
    recipes = {"front": TrainConfig(epochs=6), "chosen": TrainConfig(epochs=10), "scratch": TrainConfig(epochs=3)}
    progress, config = Counted(), FinetuneConfig(networks=2, front_entries=4, max_networks=5, **recipes)
    context = SimpleNamespace(progress=progress, experiment=SimpleNamespace(finetune=config))

    def trained(_: _Work, archs: list[tuple[int, ...]], folder: Path, before: int) -> None:
        assert before == len(list(folder.rglob("trained.json")))
        for arch in archs:
            _place(folder, "networks", arch).mkdir(parents=True)
            write_json(_place(folder, "networks", arch) / "trained.json", {"accuracy_validation": 0.5})

    monkeypatch.setattr(_Work, "_train", trained)
    networks = found([(0.5, 10.0 * (i + 1)) for i in range(9)])
    order = finetuning_order(networks, config.networks)
    assert _Work(cast(Any, context), cast(Any, None), tmp_path)._front(order, networks, tmp_path) == (5, [(0,)])
    assert progress.totals == [2 * 6 + 13, 4 * 6 + 13, 5 * 6 + 13]  # epochs


def test_a_lost_note_is_an_error_that_says_what_to_remove(tmp_path: Path) -> None:
    write_json(tmp_path / "epochs.json", {"1": 0.5, "3": 0.7})
    with pytest.raises(StoreError, match=r"epoch 2 of 3; remove that folder"):
        _curve(tmp_path, TrainConfig(epochs=3))
