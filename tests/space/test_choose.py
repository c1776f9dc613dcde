from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest

from tests.space.boards import BOARD, RUNTIME
from tests.space.spaces import FACES
from tinynas.errors import InfeasibleError
from tinynas.space.choose import SpaceStatistics, choose_space
from tinynas.space.cost import Budget, CandidateCost, Cost, Costs
from tinynas.space.layers import layers
from tinynas.space.space import Arch, Archs

SPACE = FACES.with_changes(resolutions=(32, 48, 64), widths=(0.5, 1.0, 1.5))


@dataclass(frozen=True)
class MadeUp:
    """A board that limits MACs alone: cheap, and its best space is easy to say."""

    limit_macs: int

    def __call__(self, arch: Arch) -> Cost:
        return next(iter(self.batch([arch])))

    def batch(self, archs: Archs | Sequence[Arch]) -> Costs:
        specs = (SPACE.netspec(tuple(arch)) for arch in np.asarray(archs).tolist())
        macs = np.array([sum(layer.macs for layer in layers(spec)) for spec in specs])
        return Costs(macs * 0, macs, macs * 0, macs, macs * 0, self.limit_macs, 1)


def test_table_has_every_pair_and_is_ranked() -> None:
    seen: list[SpaceStatistics] = []
    choice = choose_space(SPACE, MadeUp(3_000_000), 0, samples=60, on_space=seen.append)
    assert {(s.resolution, s.width) for s in choice.ranking} == {(r, w) for r in (32, 48, 64) for w in (0.5, 1.0, 1.5)}
    assert sorted(seen, key=id) == sorted(choice.ranking, key=id)
    keys = [(s.trusted, s.mean_macs) for s in choice.ranking]
    assert keys == sorted(keys, reverse=True)
    assert choice.space.resolutions == (choice.best.resolution,)
    assert choice.space.widths == (choice.best.width,)


def test_statistics_are_of_the_survivors() -> None:
    choice = choose_space(SPACE, MadeUp(3_000_000), 0, samples=60)
    for found in choice.ranking:
        assert len(found.macs) == found.survivors <= found.samples == 60
        assert all(macs <= 3_000_000 for macs in found.macs)
        if found.survivors:
            assert found.mean_macs == pytest.approx(np.mean(found.macs))
            assert sum(macs > found.top20_macs for macs in found.macs) == pytest.approx(0.2 * found.survivors, abs=1)


def test_more_room_takes_a_larger_space() -> None:
    means = []
    for limit in (1_000_000, 3_000_000, 9_000_000):
        means.append(choose_space(SPACE, MadeUp(limit), 0, samples=60).best)
    assert [s.mean_macs for s in means] == sorted(s.mean_macs for s in means)
    assert means[0].resolution * means[0].width < means[-1].resolution * means[-1].width


def test_few_survivors_are_not_trusted() -> None:
    """The largest survivors of a space in which next to nothing fits do not make it the best."""
    few = SpaceStatistics(64, 1.0, 1000, 3, 9e9, 9e9, (1, 2, 3))
    assert not few.trusted
    assert replace(few, survivors=60).trusted


def test_resolutions_may_stay_open() -> None:
    choice = choose_space(SPACE, MadeUp(3_000_000), 0, samples=30, resolutions=2)
    assert len(choice.space.resolutions) == 2
    assert choice.best.resolution in choice.space.resolutions
    assert choice.space.widths == (choice.best.width,)


def test_exact_costs_of_a_board_and_same_seed_same_table() -> None:
    cost = CandidateCost(SPACE, BOARD, RUNTIME)
    first = choose_space(SPACE, cost, 3, samples=12)
    assert first == choose_space(SPACE, cost, 3, samples=12)
    fractions = {(s.resolution, s.width): s.survivor_fraction for s in first.ranking}
    assert fractions[32, 0.5] > fractions[64, 1.5]


def test_the_number_of_processes_changes_nothing() -> None:
    few = SPACE.with_changes(resolutions=(32, 48), widths=(0.5,))
    cost = CandidateCost(few, BOARD, RUNTIME)
    assert choose_space(few, cost, 3, samples=4, jobs=2) == choose_space(few, cost, 3, samples=4)


def test_nothing_fits_names_the_nearest() -> None:
    cost = CandidateCost(SPACE, BOARD, RUNTIME, Budget(flash_bytes=13_000))
    with pytest.raises(InfeasibleError, match=r"in 36 draws .*w0.5 .* of 13000 B flash"):
        choose_space(SPACE, cost, 0, samples=4)
