"""The phases of progressive shrinking bring the paper's freedoms in the paper's order."""

from __future__ import annotations

from tests.space.elastic_spaces import tiny_elastic
from tinynas.train.shrinking_config import PhaseConfig, ShrinkingConfig, phases


def test_the_papers_order() -> None:
    found = phases(tiny_elastic(), ShrinkingConfig())
    assert [phase.name for phase in found] == ["largest", "kernel", "depth_1", "depth_2", "width_1", "width_2"]
    assert [phase.sorts for phase in found] == [False] * 4 + [True] * 2
    stages = [phase.space.stages for phase in found]
    assert [part[0].kernels for part in stages] == [(7,), *[(3, 5, 7)] * 5]
    assert [part[1].depths for part in stages] == [(3,), (3,), (2, 3), *[(1, 2, 3)] * 3]
    assert [part[0].expand_ratios for part in stages] == [*[(4.0,)] * 4, (3.0, 4.0), (2.0, 3.0, 4.0)]
    assert found[-1].space == tiny_elastic()
    assert all(phase.space.resolutions == (12, 16) for phase in found)


def test_each_keeps_the_freedoms_before() -> None:
    """The largest subnet is in every phase, and the spaces only grow."""
    space = tiny_elastic()
    found = phases(space, ShrinkingConfig())
    sizes = [phase.space.size for phase in found]
    assert sizes == sorted(set(sizes))
    largest = space.netspec(space.largest())
    assert all(phase.space.netspec(phase.space.largest()) == largest for phase in found)


def test_phases_that_bring_nothing_are_left_out() -> None:
    """Two depths and one width come in one phase each, the paper's long one."""
    stage = {"out_channels": 8, "depths": (1, 2), "kernels": (3,), "expand_ratios": (2,)}
    found = phases(tiny_elastic(stages=[stage]), ShrinkingConfig())
    assert [phase.name for phase in found] == ["largest", "depth_2"]


def test_without_epochs_the_next_phase_brings_the_freedom() -> None:
    config = ShrinkingConfig(kernel=PhaseConfig(epochs=0, lr=1e-3), depth_1=PhaseConfig(epochs=0, lr=1e-3))
    found = phases(tiny_elastic(), config)
    assert [phase.name for phase in found] == ["largest", "depth_2", "width_1", "width_2"]
    assert found[1].space.stages[0].kernels == (3, 5, 7)
