"""Subnets of a supernet judged on the validation split, several processes side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tinynas.data.config import DataConfig
from tinynas.pipeline.context import Context
from tinynas.pipeline.digest import derive_seed
from tinynas.pipeline.files import read_json, write_bytes, write_json
from tinynas.pipeline.jobs import dataset, run_jobs
from tinynas.pipeline.stage_store import Output
from tinynas.space.space import Arch
from tinynas.train.config import CPU_ONLY, HardwareConfig

if TYPE_CHECKING:
    from tinynas.train.shrinking_subnets import Subnets

_SUBNETS_PER_JOB = 5  # judged in one go, and again after a kill


@dataclass(frozen=True)
class Calibration:
    """Training images for the ranges of activations."""

    images: int
    seed: int


@dataclass(frozen=True)
class SubnetsJob:
    """Judge some subnets of a supernet; BatchNorm re-estimated for each. With `calibration`, make them int8 too."""

    folder: Path
    supernet: Path
    archs: tuple[Arch, ...]
    data: DataConfig
    norm_images: int
    seed: int  # of the choice of those
    calibration: Calibration | None
    hardware: HardwareConfig = CPU_ONLY
    threads: int = 1

    @property
    def result(self) -> Path:
        return self.folder / "accuracies.json"

    def models(self) -> list[bytes]:
        """The subnets as int8 `.tflite`."""
        return [self._model(index).read_bytes() for index in range(len(self.archs))]

    def run(self) -> None:
        subnets = _opened(self.supernet, self.data, self.norm_images, self.seed, self.hardware)
        write_json(self.result, [self._judged(index, arch, subnets) for index, arch in enumerate(self.archs)])

    def _judged(self, index: int, arch: Arch, subnets: Subnets) -> float:
        from tinynas.pipeline.int8 import calibration_images, int8_model

        data, network = dataset(self.data), subnets.network(subnets.supernet.space.netspec(arch))
        if self.calibration:
            images = calibration_images(data.train, self.calibration.images, self.calibration.seed)
            write_bytes(self._model(index), int8_model(network.to("cpu"), images))
        return subnets.accuracy_of(network, data.validation)

    def _model(self, index: int) -> Path:
        return self.folder / f"{index}.tflite"


@lru_cache(maxsize=1)
def _opened(supernet: Path, config: DataConfig, norm: int, seed: int, hardware: HardwareConfig) -> Subnets:
    """A finished supernet, opened once per process."""
    from tinynas.nets.elastic import load_supernet
    from tinynas.train.shrinking_subnets import Subnets, norm_images

    return Subnets(load_supernet(supernet), norm_images(dataset(config).train, norm, seed), hardware)


def judge_subnets(
    context: Context,
    supernet: Output,
    archs: Sequence[Arch],
    folder: Path,
    on_done: Callable[[int], None] = lambda _: None,
) -> NDArray[np.float64]:
    """Validation accuracies (n,) of subnets as they are in the supernet."""
    return _accuracies(_run(context, supernet, archs, folder, None, on_done))


def judge_candidates(
    context: Context, supernet: Output, archs: Sequence[Arch], folder: Path, calibration: Calibration
) -> tuple[NDArray[np.float64], list[bytes]]:
    """Validation accuracies (n,) of subnets, and the subnets as int8 `.tflite`."""
    jobs = _run(context, supernet, archs, folder, calibration)
    return _accuracies(jobs), [model for job in jobs for model in job.models()]


def _run(
    context: Context,
    supernet: Output,
    archs: Sequence[Arch],
    folder: Path,
    calibration: Calibration | None,
    on_done: Callable[[int], None] = lambda _: None,
) -> list[SubnetsJob]:
    seed = derive_seed(context.experiment.seed, "norm")
    jobs = [
        SubnetsJob(
            folder / f"subnets{first:03d}-{first + _SUBNETS_PER_JOB:03d}",
            supernet.folder / "supernet.npz",
            tuple(archs[first : first + _SUBNETS_PER_JOB]),
            context.experiment.data,
            context.experiment.ofa.norm_images,
            seed,
            calibration,
            context.experiment.hardware,
        )
        for first in range(0, len(archs), _SUBNETS_PER_JOB)
    ]
    run_jobs(jobs, context.workers, lambda done, _: on_done(min(done * _SUBNETS_PER_JOB, len(archs))))
    return jobs


def _accuracies(jobs: Sequence[SubnetsJob]) -> NDArray[np.float64]:
    return np.array([score for job in jobs for score in read_json(job.result)])
