"""Work that runs in several processes at once. A job is small and picklable; it leaves its result in a file.

A job's result does not depend on how many of them run side by side. A job whose file is there is not run again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from tinynas.data.config import DataConfig
from tinynas.data.load import load_dataset
from tinynas.data.types import Dataset, Split
from tinynas.errors import ToolError
from tinynas.pipeline.files import read_json, write_bytes, write_json
from tinynas.resources import cache_dir
from tinynas.train.config import HardwareConfig, TrainConfig
from tinynas.worker import end_with_parent, threads


class Job(Protocol):
    """Something to run in a worker."""

    @property
    def result(self) -> Path:
        """The file that the job writes last."""

    @property
    def threads(self) -> int:
        """That torch may use."""

    def run(self) -> None:
        """Do it."""


J = TypeVar("J", bound=Job)

_NOTES = "epochs.json"  # of a training: accuracy by epoch, whole after each


def run_jobs(jobs: Sequence[J], workers: int, on_done: Callable[[int, J], None] = lambda *_: None) -> None:
    """Run those whose result is not there yet; `on_done(number done, job)` is told of each as it ends."""
    from joblib import Parallel, delayed
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    todo = [job for job in jobs if not job.result.exists()]
    already = len(jobs) - len(todo)
    finished: Iterator[J] = Parallel(n_jobs=workers, return_as="generator_unordered")(
        delayed(_run)(job) for job in todo
    )
    try:
        for done, job in enumerate(finished, already + 1):
            on_done(done, job)
    except TerminatedWorkerError as error:
        raise ToolError(
            f"a process of {workers} was killed while it worked on {jobs[0].result.parent.parent}, most likely for "
            "want of memory; free some and run the same command again: finished work is kept"
        ) from error


def _run(job: J) -> J:
    end_with_parent()
    with threads(job.threads):
        job.run()
    return job


@lru_cache(maxsize=1)
def dataset(config: DataConfig) -> Dataset:
    """The dataset, loaded once per process."""
    return load_dataset(config, cache_dir())


@dataclass(frozen=True)
class TrainJob:
    """Train the network in folder/start.npz into folder/network.npz; folder/trained.json is its result.

    Every epoch is noted in folder/epochs.json.
    """

    folder: Path
    data: DataConfig
    config: TrainConfig
    seed: int
    teacher: Path | None = None
    hardware: HardwareConfig = field(default_factory=HardwareConfig)
    threads: int = 1
    followed_images: int = 0  # of the validation split, that the network is judged on after every epoch

    @property
    def network(self) -> Path:
        return self.folder / "network.npz"

    @property
    def result(self) -> Path:
        return self.folder / "trained.json"

    def correct(self) -> NDArray[np.bool_]:
        """Which validation images the trained network labels right: (n,)."""
        packed = np.load(self.folder / "correct.npy")
        count = int(read_json(self.result)["images"])
        return np.unpackbits(packed, count=count).astype(bool)

    def _note(self, epoch: int, score: float | None) -> None:
        write_json(self.folder / _NOTES, noted_epochs(self.folder) | {epoch: score})

    def _catch_up(self, checkpoint: Path, followed: Split | None) -> None:
        """Note the last whole epoch if an earlier sitting was stopped between its checkpoint and its note."""
        from tinynas.nets.checkpoint import load_checkpoint, load_network, state_of
        from tinynas.train.supervised import accuracy

        arrays = load_checkpoint(checkpoint)
        if (epoch := int(arrays["epoch"])) in noted_epochs(self.folder):
            return
        network = load_network(self.folder / "start.npz")
        network.load_state_dict(state_of(arrays, "network."))
        self._note(epoch, accuracy(network, followed, hardware=self.hardware) if followed is not None else None)

    def run(self) -> None:
        from tinynas.nets.checkpoint import load_network, save_network
        from tinynas.train.supervised import predict, train

        began_s, began_cpu_s = time.monotonic(), time.process_time()
        network, data = load_network(self.folder / "start.npz"), dataset(self.data)
        teacher = load_network(self.teacher) if self.teacher else None
        checkpoint = self.folder / "checkpoint.npz"
        followed = data.validation.head(self.followed_images) if self.followed_images else None
        if checkpoint.exists():
            self._catch_up(checkpoint, followed)
        train(
            network,
            data.train,
            self.config,
            self.seed,
            teacher=teacher,
            validation=followed,
            on_epoch=lambda epoch: self._note(epoch.number, epoch.accuracy),
            checkpoint=checkpoint,
            hardware=self.hardware,
        )
        save_network(self.network, network)
        scores = predict(network, data.validation.images, hardware=self.hardware)
        correct = scores.argmax(1) == data.validation.labels
        np.save(self.folder / "correct.npy", np.packbits(correct))
        spent = {
            "train_s": round(time.monotonic() - began_s, 1),
            "train_cpu_s": round(time.process_time() - began_cpu_s, 1),
        }
        write_json(self.result, {"accuracy_validation": float(correct.mean()), "images": len(correct), **spent})
        checkpoint.unlink(missing_ok=True)


def noted_epochs(folder: Path) -> dict[int, float | None]:
    """Accuracy on the followed images, if there are any, after every epoch from 1 of the `TrainJob` in `folder`."""
    file = folder / _NOTES
    return {int(epoch): score for epoch, score in read_json(file).items()} if file.exists() else {}


@dataclass(frozen=True)
class Int8Job:
    """Quantise `network` into folder/model.tflite; folder/int8.json holds its accuracies on the test split."""

    folder: Path
    network: Path  # checkpoint
    data: DataConfig
    calibration_images: int
    seed: int
    threads: int = 1

    @property
    def model(self) -> Path:
        return self.folder / "model.tflite"

    @property
    def result(self) -> Path:
        return self.folder / "int8.json"

    def run(self) -> None:
        from tinynas.nets.checkpoint import load_network
        from tinynas.pipeline.int8 import calibration_images, int8_accuracy, int8_model
        from tinynas.train.supervised import accuracy

        network, data = load_network(self.network), dataset(self.data)
        model = int8_model(network, calibration_images(data.train, self.calibration_images, self.seed))
        write_bytes(self.model, model)
        scores = {"accuracy_float": accuracy(network, data.test), "accuracy_int8": int8_accuracy(model, data.test)}
        write_json(self.result, scores)
