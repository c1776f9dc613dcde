"""The library holds every option once, each a fair copy of the reference's stage, and survives interruption."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.distill.small import data, reference, space
from tinynas.distill.config import DistillConfig
from tinynas.distill.library import Library, LibraryProgress, build_library, open_library, stage_blocks
from tinynas.errors import ConfigError, ModelError
from tinynas.nets.network import build_network

CONFIG = DistillConfig(epochs=2, batch_size=32, lr=2e-2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("library")


@pytest.fixture(scope="module")
def library(folder: Path) -> Library:
    return build_library(reference(), space(), data(), CONFIG, 0, folder, workers=1)


def entry_files(folder: Path) -> list[Path]:
    return sorted((folder / "entries").iterdir())


def test_every_option_has_a_ratio(library: Library) -> None:
    nsr = library.nsr
    assert nsr.shape == (2, 2, 6)
    assert np.isnan(nsr[:, 1, 2:]).all() and not np.isnan(nsr[:, 0]).any() and not np.isnan(nsr[:, 1, :2]).any()
    assert np.nanmin(nsr) >= 0 and np.nanmax(nsr) < 1  # all better than predicting the mean


def test_options_with_equal_blocks_share_an_entry(library: Library, folder: Path) -> None:
    assert len(entry_files(folder)) == 6  # of 8 options
    np.testing.assert_array_equal(library.nsr[:, 0, 0], library.nsr[:, 0, 1])


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


def test_interrupted_library_continues_to_the_same_entries(library: Library, folder: Path, tmp_path: Path) -> None:
    class Killed(Exception):
        pass

    def stop(progress: LibraryProgress) -> None:
        if progress.done == 3:
            raise Killed

    with pytest.raises(Killed):
        build_library(reference(), space(), data(), CONFIG, 0, tmp_path, workers=1, on_entry=stop)
    assert 3 <= len(entry_files(tmp_path)) < 6
    seen: list[LibraryProgress] = []
    again = build_library(reference(), space(), data(), CONFIG, 0, tmp_path, workers=1, on_entry=seen.append)
    assert [p.total for p in seen] == [6] * len(seen) and seen[-1].done == 6 and len(seen) <= 3
    np.testing.assert_array_equal(again.nsr, library.nsr)
    for mine, theirs in zip(entry_files(tmp_path), entry_files(folder), strict=True):
        with np.load(mine) as a, np.load(theirs) as b:
            assert all(np.array_equal(a[key], b[key]) for key in a.files if key != "train_s")


_VICTIM = """
import sys
from pathlib import Path
from tests.distill.small import data, reference, space
from tests.distill.test_library import CONFIG
from tinynas.distill.library import build_library
build_library(reference(), space(), data(), CONFIG, 0, Path(sys.argv[1]), workers=2,
              on_entry=lambda p: print(p.done, flush=True))
"""


def test_two_workers_killed_and_resumed_give_the_same_ratios(library: Library, tmp_path: Path) -> None:
    """kill -9 of a run with two worker processes: what is there is whole, and the rest comes out the same."""
    command = [sys.executable, "-c", _VICTIM, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as victim:
        assert victim.stdout is not None
        victim.stdout.readline()
        os.kill(victim.pid, signal.SIGKILL)
    resumed = build_library(reference(), space(), data(), CONFIG, 0, tmp_path, workers=1)
    np.testing.assert_array_equal(resumed.nsr, library.nsr)


def test_another_seed_gives_other_entries_in_another_folder(library: Library, folder: Path, tmp_path: Path) -> None:
    other = build_library(reference(), space(), data(), CONFIG, 1, tmp_path, workers=1)
    assert not np.array_equal(np.nan_to_num(other.nsr), np.nan_to_num(library.nsr))
    with pytest.raises(ConfigError, match="holds the library of another"):
        build_library(reference(), space(), data(), CONFIG, 1, folder, workers=1)


def test_cells_activations_and_attention_are_options_too(tmp_path: Path) -> None:
    """Each becomes an entry that beats predicting the mean; the reference's cell inherits across the other two."""
    kinds = {
        "cells": ("plain_residual", "inverted_residual"),
        "activations": ("hard_swish", "relu6"),
        "attention": ("squeeze_excite", "none"),
    }
    mixed = [stage.model_dump() | {"depths": stage.depths[-1:]} for stage in space().stages]
    mixed[0] |= kinds | {"expand_ratios": (2.0,)}
    wide = space().with_changes(stages=mixed)
    library = build_library(reference(), wide, data(), CONFIG, 0, tmp_path, workers=1)
    ratios = library.nsr[1, 0]
    assert ratios.max() < 1
    own = {k for k, option in enumerate(wide.stage_options(0)) if option.cell == "inverted_residual"}
    assert max(ratios[k] for k in own) < min(ratios[k] for k in range(len(ratios)) if k not in own)
    arch = wide.with_option(wide.largest(), 0, 0)
    network = library.assemble(arch)
    assert network.spec == wide.netspec(arch)
    assert bool(torch.isfinite(network(torch.rand(2, 1, 16, 16))).all())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"out_channels": (8, 16)},
            r"space.stages\[0\].out_channels: a block library needs one number, found \[8, 16\]",
        ),
        ({"channels": (1, 3)}, r"space.channels: a block library needs one number, found \[1, 3\]"),
    ],
)
def test_open_ends_are_refused(changes: dict[str, object], message: str, tmp_path: Path) -> None:
    stages = [space().stages[0].model_dump() | {k: v for k, v in changes.items() if k != "channels"}, space().stages[1]]
    wide = space().with_changes(stages=stages, channels=changes.get("channels", 1))
    with pytest.raises(ConfigError, match=message):
        build_library(reference(), wide, data(), CONFIG, 0, tmp_path, workers=1)


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="one width"):
        wide = space().with_changes(widths=(0.5, 1.0))
        build_library(reference(), wide, data(), CONFIG, 0, tmp_path, workers=1)
    other = build_network(space().with_changes(head_channels=32).netspec(space().largest()), seed=0)
    with pytest.raises(ConfigError, match="head channels 32, the space wants 24"):
        build_library(other, space(), data(), CONFIG, 0, tmp_path, workers=1)
    with pytest.raises(ModelError, match="stage0-option000"):
        _ = open_library(reference(), space(), tmp_path).nsr


def test_stage_blocks_follow_the_option_order() -> None:
    for stage in range(2):
        for option, blocks in enumerate(stage_blocks(space(), stage)):
            arch = space().with_option(space().largest(), stage, option)
            assert space().netspec(arch).stages[stage] == blocks
