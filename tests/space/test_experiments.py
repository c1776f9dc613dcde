"""The experiments that ship, as spaces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinynas.pipeline.config import load_experiment
from tinynas.resources import resource
from tinynas.space.cell import cells

EXPERIMENTS = sorted(resource("experiments").glob("*.toml"))


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_the_space_is_sound(path: Path) -> None:
    space = load_experiment(path).space
    for arch in [tuple(row) for row in space.samples(np.random.default_rng(0), 20).tolist()]:
        assert space.canonical(arch) == arch
        assert space.encode(space.decode(arch)) == arch


def test_the_wide_one_offers_everything() -> None:
    space = load_experiment(resource("experiments") / "wide.toml").space
    options = [option for stage in range(len(space.stages)) for option in space.stage_options(stage)]
    assert {option.cell for option in options} == {name for name, cell in cells().items() if not cell.rectified}
    assert {option.attention for option in options} == {"none", "squeeze_excite"}
    assert {option.activation for option in options} == {"relu6", "hard_swish"}
    reference = space.netspec(space.largest())
    assert {block.cell for blocks in reference.stages for block in blocks} == {"inverted_residual"}
