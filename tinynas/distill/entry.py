"""One entry of the block library: a stage option, trained alone to copy what the reference's stage does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from tinynas.data.arrays import save_arrays
from tinynas.distill.config import DistillConfig
from tinynas.distill.features import FeatureStore, as_batch
from tinynas.distill.inherit import inherit_stage, match_outputs
from tinynas.distill.nsr import noise_to_signal
from tinynas.nets.checkpoint import load_checkpoint, state_of, tensors_of
from tinynas.nets.network import Stage
from tinynas.nets.norm import reestimate
from tinynas.space.netspec import BlockSpec
from tinynas.train.allocator import keep_freed_memory
from tinynas.train.config import CPU_ONLY, HardwareConfig
from tinynas.train.device import CPU, Device, open_device
from tinynas.train.schedule import cosine
from tinynas.worker import end_with_parent, threads

_NORM_BATCHES = 16  # that BatchNorm's statistics are measured on after training


@dataclass(frozen=True)
class EntryTask:
    """All that one entry depends on; a worker process needs nothing else."""

    stage: int
    option: int
    blocks: tuple[BlockSpec, ...]
    teacher_blocks: tuple[BlockSpec, ...]
    teacher_file: Path  # the reference stage's weights
    train: FeatureStore
    validation: tuple[FeatureStore, ...]  # one per resolution
    config: DistillConfig
    seed: int
    file: Path
    hardware: HardwareConfig = CPU_ONLY


@dataclass(frozen=True)
class Entry:
    """A trained entry: its stage and its noise-to-signal ratio on validation images at each resolution."""

    stage: Stage
    nsr: tuple[float, ...]
    train_s: float  # seconds it took


def make_entry(task: EntryTask) -> tuple[int, int, float]:
    """Train, validate and store one entry; returns (stage, option, seconds).

    The result does not depend on the number of workers.
    """
    end_with_parent()
    started = time.perf_counter()
    keep_freed_memory()
    with threads(1), torch.random.fork_rng(devices=[]):
        torch.manual_seed(task.seed)
        teacher = Stage(task.teacher_blocks)
        teacher.load_state_dict(state_of(load_checkpoint(task.teacher_file)))
        device = open_device(task.hardware)
        stage = _trained(task, teacher, device)
        size = task.config.batch_size
        nsr = [validation_nsr(stage, store, task.stage, size, device) for store in task.validation]
    seconds = time.perf_counter() - started
    numbers = {"nsr": np.array(nsr), "train_s": np.array(seconds)}
    save_arrays(task.file, {**tensors_of(stage.state_dict(), "stage."), **numbers})
    return task.stage, task.option, seconds


def load_entry(file: Path, blocks: tuple[BlockSpec, ...]) -> Entry:
    """The entry in `file`. Raises ModelError if it is missing or damaged."""
    arrays = load_checkpoint(file)
    stage = Stage(blocks)
    stage.load_state_dict(state_of(arrays, "stage."))
    return Entry(stage.eval(), tuple(float(x) for x in arrays["nsr"]), float(arrays["train_s"]))


def _trained(task: EntryTask, teacher: Stage, device: Device) -> Stage:
    """The option's stage after training, in evaluation mode; the reference's own option is the reference's stage."""
    if task.blocks == task.teacher_blocks:
        return teacher.to(device.kind).eval()
    stage = Stage(task.blocks)
    match_outputs(stage, as_batch(task.train.features(task.stage + 1), slice(_NORM_BATCHES * task.config.batch_size)))
    if task.config.inherit:
        inherit_stage(stage, teacher)
    _train(device.placed(stage), task, device)
    return stage.eval()


def _train(stage: Stage, task: EntryTask, device: Device) -> None:
    config = task.config
    inputs, targets = task.train.features(task.stage), task.train.features(task.stage + 1)
    variance = task.train.variance(task.stage + 1).to(device.kind)
    optimiser = torch.optim.AdamW(stage.parameters(), lr=config.lr, weight_decay=config.weight_decay, foreach=True)
    rng = np.random.default_rng(task.seed)
    batches = [batch for _ in range(config.epochs) for batch in _batches(len(inputs), config.batch_size, rng)]
    stage.train()
    for step, batch in enumerate(batches):
        for group in optimiser.param_groups:
            group["lr"] = cosine(step, len(batches), len(batches) // 10, config.lr)
        with device.arithmetic():
            copied = stage(as_batch(inputs, batch, device))
        loss = noise_to_signal(copied.float(), as_batch(targets, batch, device), variance)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    reestimate(stage, (as_batch(inputs, batch, device) for batch in batches[-_NORM_BATCHES:]))


def validation_nsr(stage: Stage, store: FeatureStore, index: int, batch_size: int = 64, device: Device = CPU) -> float:
    """Noise-to-signal ratio of `stage`, on `device`, in place of the reference's stage `index`: over all of `store`."""
    inputs, targets = store.features(index), store.features(index + 1)
    variance = store.variance(index + 1).to(device.kind)
    total = 0.0
    with torch.inference_mode():
        for start in range(0, len(inputs), batch_size):
            rows = slice(start, start + batch_size)
            x, y = as_batch(inputs, rows, device), as_batch(targets, rows, device)
            total += float(noise_to_signal(stage(x), y, variance)) * len(x)
    return total / len(inputs)


def _batches(n: int, size: int, rng: np.random.Generator) -> Iterator[np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Whole shuffled batches, each in file order (it is read faster so); all in one if there are too few."""
    order = rng.permutation(n)
    for start in range(0, max(1, n // size) * size, size):
        yield np.sort(order[start : start + size])
