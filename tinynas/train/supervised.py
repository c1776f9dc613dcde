"""Training with labels, and with a teacher (Hinton et al., arXiv 1503.02531): cosine rate, resumable by epoch."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from tinynas.data.arrays import save_arrays
from tinynas.data.images import at_resolution
from tinynas.data.types import Split
from tinynas.errors import ConfigError
from tinynas.nets.checkpoint import load_checkpoint, spec_to_json, state_of, tensors_of
from tinynas.nets.network import Network
from tinynas.nets.norm import reestimate
from tinynas.train.allocator import keep_freed_memory
from tinynas.train.augment import augmented, resized, to_float
from tinynas.train.config import CPU_ONLY, HardwareConfig, TrainConfig
from tinynas.train.device import Device, open_device
from tinynas.train.schedule import cosine

_NORM_BATCHES = 16  # that BatchNorm's final statistics are measured on


@dataclass(frozen=True)
class Epoch:
    """Progress after an epoch."""

    number: int  # from 1
    epochs: int
    loss: float  # mean over the epoch's training images
    accuracy: float | None  # on the validation images, where they were given
    images_per_s: float  # training throughput; 0 for an epoch restored from a checkpoint


OnEpoch = Callable[[Epoch], None]


def train(
    network: Network,
    split: Split,
    config: TrainConfig,
    seed: int,
    *,
    teacher: Network | None = None,
    validation: Split | None = None,
    on_epoch: OnEpoch | None = None,
    checkpoint: Path | None = None,
    hardware: HardwareConfig = CPU_ONLY,
) -> None:
    """Train `network` in place; it ends in evaluation mode. One seed, one machine, one result.

    With `teacher`, the loss is (1 - soft_weight) * hard + soft_weight * soft cross-entropy; the teacher sees the same
    augmented images, at its own resolution. BatchNorm's statistics are re-estimated after the last epoch. With
    `checkpoint`, each epoch is written there, and a run that was killed goes on after the last whole one; a file of
    another network, configuration or seed is a ConfigError. `hardware` decides rounding, nothing else.
    """
    keep_freed_memory()
    run = _Run(network, split, config, seed, teacher, open_device(hardware))
    if checkpoint is not None and checkpoint.exists():
        run.restore(checkpoint)
    while run.epoch < config.epochs:
        started = time.perf_counter()
        loss = run.train_epoch()
        if run.epoch == config.epochs:
            run.settle()
        rate = len(split) / (time.perf_counter() - started)
        if checkpoint is not None:
            run.save(checkpoint)
        if on_epoch is not None:
            score = accuracy(network, validation, hardware=hardware) if validation is not None else None
            on_epoch(Epoch(run.epoch, config.epochs, loss, score, rate))
    for net in (network, teacher):
        if net is not None:
            net.to("cpu").eval()


class _Run:
    """The state of a training between epochs."""

    def __init__(
        self, network: Network, split: Split, config: TrainConfig, seed: int, teacher: Network | None, device: Device
    ) -> None:
        self.network = device.placed(network)
        self.stepped = device.stepped(network)
        self.teacher = device.placed(teacher).eval() if teacher is not None else None
        side = max(net.spec.input_shape[0] for net in (network, teacher) if net is not None)
        self.images = torch.from_numpy(at_resolution(split.images, side))
        self.labels = torch.from_numpy(split.labels)
        self.config, self.seed, self.device = config, seed, device
        self.optimiser = _optimiser(network, config)
        self.steps_per_epoch = max(1, len(split) // config.batch_size)
        self.epoch = 0
        self.identity = self._identity()

    def train_epoch(self) -> float:
        """One pass over the images; returns the mean loss. Its randomness depends on seed and epoch number only."""
        self.network.train()
        generator = torch.Generator().manual_seed(_epoch_seed(self.seed, self.epoch))
        total = torch.zeros((), device=self.device.kind)
        for step, batch in enumerate(_batches(len(self.labels), self.config.batch_size, generator)):
            self._set_rate(self.epoch * self.steps_per_epoch + step)
            images = augmented(self.device.moved(self.images[batch]), self.config.augment, generator)
            with self.device.arithmetic():
                loss = self._loss(images, self.device.moved(self.labels[batch]))
            self.optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimiser.step()
            total += loss.detach()
        self.epoch += 1
        return float(total) / self.steps_per_epoch

    def settle(self) -> None:
        """Measure BatchNorm's statistics on plain training images: the running ones are of weights since moved."""
        images = torch.split(self.images[: _NORM_BATCHES * self.config.batch_size], self.config.batch_size)
        side = self.network.spec.input_shape[0]
        reestimate(self.network, (resized(to_float(self.device.moved(batch)), side) for batch in images))

    def _loss(self, x: Tensor, labels: Tensor) -> Tensor:
        logits = self.stepped(resized(x, self.network.spec.input_shape[0]))
        hard = F.cross_entropy(logits, labels, label_smoothing=self.config.label_smoothing)
        if self.teacher is None:
            return hard
        with torch.no_grad():
            target = self.teacher(resized(x, self.teacher.spec.input_shape[0]))
        soft = soft_cross_entropy(logits, target, self.config.temperature)
        return (1 - self.config.soft_weight) * hard + self.config.soft_weight * soft

    def _set_rate(self, step: int) -> None:
        warmup = round(self.config.warmup_epochs * self.steps_per_epoch)
        rate = cosine(step, self.config.epochs * self.steps_per_epoch, warmup, self.config.lr)
        for group in self.optimiser.param_groups:
            group["lr"] = rate

    def save(self, path: Path) -> None:
        """Weights, optimiser moments and the number of epochs done."""
        arrays = tensors_of(self.network.state_dict(), "network.")
        for index, state in self.optimiser.state_dict()["state"].items():
            arrays |= tensors_of(state, f"optimiser.{index}.")
        save_arrays(path, {**arrays, "epoch": np.array(self.epoch), "identity": np.array(self.identity)})

    def restore(self, path: Path) -> None:
        arrays = load_checkpoint(path)
        if str(arrays.get("identity")) != self.identity:
            raise ConfigError(f"{path}: belongs to a training with other settings; remove it or give another file")
        self.network.load_state_dict(state_of(arrays, "network."))
        state = self.optimiser.state_dict()
        indices = {int(key.split(".")[1]) for key in arrays if key.startswith("optimiser.")}
        state["state"] = {index: state_of(arrays, f"optimiser.{index}.") for index in sorted(indices)}
        self.optimiser.load_state_dict(state)
        self.epoch = int(arrays["epoch"])

    def _identity(self) -> str:
        """Hash of what decides the result: network, configuration, seed, teacher's weights, images."""
        digest = hashlib.sha256(spec_to_json(self.network.spec).encode())
        digest.update(json.dumps([self.config.model_dump(mode="json"), self.seed], sort_keys=True).encode())
        digest.update(self.labels.numpy().tobytes() + self.images.numpy().tobytes())
        for value in self.teacher.state_dict().values() if self.teacher is not None else ():
            digest.update(value.cpu().numpy().tobytes())
        return digest.hexdigest()


def soft_cross_entropy(logits: Tensor, target: Tensor, temperature: float) -> Tensor:
    """Cross-entropy of softened outputs to the softened target logits, times temperature squared (1503.02531, 2)."""
    soft = F.softmax(target / temperature, dim=1)
    return -(soft * F.log_softmax(logits / temperature, dim=1)).sum(1).mean() * temperature**2


def _optimiser(network: Network, config: TrainConfig) -> torch.optim.AdamW:
    decayed = [p for p in network.parameters() if p.ndim > 1]
    plain = [p for p in network.parameters() if p.ndim <= 1]
    groups: list[dict[str, Any]] = [{"params": decayed}, {"params": plain, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=config.lr, weight_decay=config.weight_decay, foreach=True)


def _epoch_seed(seed: int, epoch: int) -> int:
    return int(np.random.SeedSequence([seed, epoch]).generate_state(1, np.uint64)[0] >> 1)


def _batches(n: int, size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Shuffled whole batches; the remainder sits out this epoch (a tiny last batch would spoil BatchNorm)."""
    order = torch.randperm(n, generator=generator)
    if n < size:
        yield order
        return
    yield from torch.split(order, size)[: n // size]


def accuracy(network: Network, split: Split, *, batch_size: int = 250, hardware: HardwareConfig = CPU_ONLY) -> float:
    """Fraction of `split` that `network` labels right, at the network's own resolution."""
    scores = predict(network, split.images, batch_size=batch_size, hardware=hardware)
    return float((scores.argmax(1) == split.labels).mean())


def predict(
    network: Network,
    images: np.ndarray[Any, np.dtype[np.uint8]],
    *,
    batch_size: int = 250,
    hardware: HardwareConfig = CPU_ONLY,
) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Logits (n, classes) of uint8 images (n, h, w, c), BatchNorm on its running statistics."""
    device = open_device(hardware)
    network = device.placed(network).eval()
    side = network.spec.input_shape[0]
    with torch.inference_mode():
        parts = [
            network(to_float(device.moved(batch))).float().cpu()
            for batch in torch.split(torch.from_numpy(at_resolution(images, side)), batch_size)
        ]
    logits: np.ndarray[Any, np.dtype[np.float32]] = torch.cat(parts).numpy()
    return logits
