"""The library holds every option once, each a fair copy of the reference's stage."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.distill.small import CONFIG, data, reference, space
from tinynas.distill.build import build_library
from tinynas.distill.library import Library, open_library, stage_blocks
from tinynas.errors import ModelError


def test_every_option_has_a_ratio(library: Library) -> None:
    nsr = library.nsr
    assert nsr.shape == (2, 2, 6)
    assert np.isnan(nsr[:, 1, 2:]).all() and not np.isnan(nsr[:, 0]).any() and not np.isnan(nsr[:, 1, :2]).any()
    assert np.nanmin(nsr) >= 0 and np.nanmax(nsr) < 1  # all better than predicting the mean


def test_reference_s_own_options_copy_it_exactly(library: Library) -> None:
    arch = space().largest()
    np.testing.assert_allclose(library.nsr_of(arch), [0, 0], atol=1e-5)  # features are kept as float16
    x = torch.rand(3, 1, 16, 16)
    with torch.no_grad():
        torch.testing.assert_close(library.assemble(arch)(x), reference()(x))


def test_assembled_networks_stand_alone(library: Library) -> None:
    """They have the arch's NetSpec, work better than fresh ones, and training one leaves the library as it was."""
    arch = space().with_option(space().largest(), 1, 0)
    network = library.assemble(arch)
    assert network.spec == space().netspec(arch)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
    again = library.assemble(arch)
    assert all(bool(p.any()) for p in again.stages[1].parameters() if p.ndim > 1)
    assert torch.equal(again.stem.conv.weight, reference().stem.conv.weight)


def test_training_and_inheritance_both_help(library: Library, tmp_path: Path) -> None:
    """The mean ratio falls with inherited weights, and again with another epoch."""
    alone = build_library(
        reference(), space(), data(), CONFIG.model_copy(update={"inherit": False}), 0, tmp_path / "a", workers=1
    )
    longer = build_library(
        reference(), space(), data(), CONFIG.model_copy(update={"epochs": 5}), 0, tmp_path / "b", workers=1
    )
    means = [float(np.nanmean(lib.nsr)) for lib in (alone, library, longer)]
    assert means[0] > means[1] > means[2]


def test_a_missing_entry_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="stage0-option000"):
        _ = open_library(reference(), space(), tmp_path).nsr


def test_stage_blocks_follow_the_option_order() -> None:
    for stage in range(2):
        for option, blocks in enumerate(stage_blocks(space(), stage)):
            arch = space().with_option(space().largest(), stage, option)
            assert space().netspec(arch).stages[stage] == blocks
