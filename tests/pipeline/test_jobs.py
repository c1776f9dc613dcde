"""A training in a worker: what it leaves, and that nothing of it is lost when it is killed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinynas.data.config import DataConfig
from tinynas.nets.checkpoint import load_network, save_network
from tinynas.nets.network import build_network
from tinynas.pipeline.jobs import TrainJob, dataset, noted_epochs
from tinynas.space.netspec import BlockSpec, NetSpec
from tinynas.train.config import TrainConfig
from tinynas.train.supervised import accuracy, predict

SPEC = NetSpec((12, 12, 1), 10, 8, 2, ((BlockSpec(8, 16, 8, 3, 1),),), 16)
DATA = DataConfig.model_validate(
    {"dataset": "digits", "resolution": 12, "train_images": 160, "validation_images": 60, "test_images": 20}
)


def job(folder: Path, followed_images: int = 50) -> TrainJob:
    folder.mkdir()
    save_network(folder / "start.npz", build_network(SPEC, 0))
    return TrainJob(folder, DATA, TrainConfig(epochs=3), 0, followed_images=followed_images)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> TrainJob:
    whole = job(tmp_path_factory.mktemp("jobs") / "whole")
    whole.run()
    return whole


def test_right_and_wrong_images_are_kept(done: TrainJob) -> None:
    network, validation = load_network(done.network), dataset(DATA).validation
    expected = predict(network, validation.images).argmax(1) == validation.labels
    np.testing.assert_array_equal(done.correct(), expected)


def test_accuracy_is_followed_epoch_by_epoch(done: TrainJob) -> None:
    by_epoch = noted_epochs(done.folder)
    assert sorted(by_epoch) == [1, 2, 3]
    assert by_epoch[3] == accuracy(load_network(done.network), dataset(DATA).validation.head(50))


def test_epochs_are_noted_without_a_follower_too(done: TrainJob, tmp_path: Path) -> None:
    alone = job(tmp_path / "alone", followed_images=0)
    alone.run()
    assert noted_epochs(alone.folder) == {1: None, 2: None, 3: None}
    np.testing.assert_array_equal(alone.correct(), done.correct())


@pytest.mark.parametrize("noted", [0, 1, 2])
def test_killed_after_an_epoch_it_leaves_the_same(
    done: TrainJob, noted: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where it dies with the epoch's weights on disk and before its accuracy is: that is made up for."""

    class Killed(Exception):
        pass

    note = TrainJob._note

    def dying(self: TrainJob, epoch: int, score: float | None) -> None:
        if epoch > noted:
            raise Killed
        note(self, epoch, score)

    broken = job(tmp_path / "broken")
    with monkeypatch.context() as patch:
        patch.setattr(TrainJob, "_note", dying)
        with pytest.raises(Killed):
            broken.run()
    broken.run()
    assert noted_epochs(broken.folder) == noted_epochs(done.folder)
    np.testing.assert_array_equal(broken.correct(), done.correct())
