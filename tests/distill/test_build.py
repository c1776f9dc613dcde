"""A library that is interrupted, or made by several processes, comes out the same."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.distill.small import CONFIG, data, reference, space
from tinynas.distill.build import LibraryProgress, build_library
from tinynas.distill.library import Library
from tinynas.errors import ConfigError


def entry_files(folder: Path) -> list[Path]:
    return sorted((folder / "entries").iterdir())


def test_options_with_equal_blocks_share_an_entry(library: Library, folder: Path) -> None:
    assert len(entry_files(folder)) == 6  # of 8 options
    np.testing.assert_array_equal(library.nsr[:, 0, 0], library.nsr[:, 0, 1])


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
from tests.distill.small import CONFIG, data, reference, space
from tinynas.distill.build import build_library
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
