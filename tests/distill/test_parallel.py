"""Entries side by side: processes of this machine, a Ray cluster where Ray is installed, and what goes wrong."""

from __future__ import annotations

import importlib
import importlib.util
import os
import pickle
import signal
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.distill.small import data, reference, space
from tinynas.distill.build import build_library
from tinynas.distill.config import DistillConfig
from tinynas.distill.entry import EntryTask
from tinynas.distill.features import store_features
from tinynas.distill.library import stage_blocks
from tinynas.distill.parallel import side_by_side
from tinynas.errors import ToolError

CONFIG = DistillConfig(epochs=1, batch_size=32, lr=2e-2)


def doubled(number: int) -> int:
    return 2 * number


def die(_number: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def test_every_task_once_with_any_number_of_workers() -> None:
    for workers in (1, 2):
        assert sorted(side_by_side(doubled, range(7), workers)) == list(range(0, 14, 2))
    assert list(side_by_side(doubled, [], 2)) == []


def test_a_killed_worker_is_told_with_what_to_do() -> None:
    with pytest.raises(ToolError, match=r"a process of 2 was killed .* run the same command again"):
        list(side_by_side(die, range(3), 2))


def test_ray_that_is_not_there_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ToolError, match=r"needs Ray, which is not installed: pip install \"tinynas\[cluster\]\""):
        list(side_by_side(doubled, [1], 1, "ray"))


@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray (extra [cluster]) is not installed")
def test_a_cluster_trains_the_same_entries(tmp_path: Path) -> None:
    here = build_library(reference(), space(), data(), CONFIG, 0, tmp_path / "here")
    config = CONFIG.model_copy(update={"backend": "ray"})
    there = build_library(reference(), space(), data(), config, 0, tmp_path / "there")
    np.testing.assert_array_equal(here.nsr, there.nsr)
    assert not importlib.import_module("ray").is_initialized()  # what was started for it has ended


def test_workers_share_the_features_on_disk(tmp_path: Path) -> None:
    """A task carries paths, no arrays; what a worker opens is a read-only map of the file, not a copy."""
    store = store_features(reference(), data().train.images, 16, tmp_path / "features")
    blocks = stage_blocks(space(), 0)[0]
    file = tmp_path / "entry.npz"
    task = EntryTask(0, 0, blocks, blocks, tmp_path / "teacher.npz", store, (store,), CONFIG, 0, file)
    arrived: EntryTask = pickle.loads(pickle.dumps(task))
    features = arrived.train.features(1)
    assert len(pickle.dumps(task)) < 2000 < features.nbytes
    assert isinstance(features, np.memmap) and features.mode == "r" and not features.flags.writeable
    assert Path(str(features.filename)) == store.folder / "boundary1.npy"


def test_who_computes_does_not_decide_what_comes_out() -> None:
    assert CONFIG.model_copy(update={"backend": "ray"}).deciding() == CONFIG.deciding()
