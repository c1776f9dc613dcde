"""Progressive shrinking (Once-for-All, arXiv 1908.09791 section 3.3): a supernet trained from its largest subnet down.

Phases in the paper's order: largest net, then kernels, depths in two steps, widths in two steps; each keeps the
freedoms of those before. From the second phase on, the largest net as the first phase left it is the teacher.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tinynas.data.arrays import save_arrays
from tinynas.data.images import at_resolution
from tinynas.data.types import Split
from tinynas.errors import ConfigError
from tinynas.nets.checkpoint import load_checkpoint, state_of, tensors_of
from tinynas.nets.elastic import ElasticNetwork
from tinynas.nets.network import Network, build_network
from tinynas.space.netspec import NetSpec
from tinynas.train.allocator import keep_freed_memory
from tinynas.train.augment import augmented, resized, to_float
from tinynas.train.config import CPU_ONLY, HardwareConfig
from tinynas.train.device import Device, open_device
from tinynas.train.schedule import cosine
from tinynas.train.shrinking_config import Phase, ShrinkingConfig, phases
from tinynas.train.shrinking_draws import EpochDraws
from tinynas.train.shrinking_ranks import Ranks
from tinynas.train.supervised import soft_cross_entropy

NORM_IMAGES = 512  # training images that the teacher's BatchNorm statistics are measured on


@dataclass(frozen=True)
class ShrinkingEpoch:
    """Progress after an epoch."""

    phase: str
    number: int  # from 1, over all phases
    epochs: int  # of all phases
    loss: float  # mean over the epoch's steps and subnets
    images_per_s: float  # of this process, each counted once whatever the number of subnets


OnEpoch = Callable[[ShrinkingEpoch], None]


def shrink(
    supernet: ElasticNetwork,
    split: Split,
    config: ShrinkingConfig,
    seed: int,
    *,
    on_epoch: OnEpoch = lambda _: None,
    checkpoint: Path | None = None,
    hardware: HardwareConfig = CPU_ONLY,
    ranks: Ranks | None = None,
) -> None:
    """Train `supernet` in place through all phases. One seed, one machine, one number of processes: one result.

    With `checkpoint`, each epoch is written there, and a run that was killed goes on after the last whole one; a file
    of another space, configuration, seed or number of processes is a ConfigError. With `ranks`, each process calls this
    with the same arguments; they share the batches, hold equal weights after every step, and the first one writes.
    BatchNorm goes by each process's own part of the batch. `hardware.compile` is for nets that stay the same: the
    teacher is compiled, the supernet, another net at every step, is not.
    """
    keep_freed_memory()
    run = _Run(supernet, split, config, seed, open_device(hardware), ranks or Ranks())
    if checkpoint is not None and checkpoint.exists():
        run.restore(checkpoint)
    run.ranks.wait()  # nobody writes before all have read
    while run.phase is not None:
        phase, started = run.phase, time.perf_counter()
        loss = run.train_epoch()
        rate = run.images_per_epoch / (time.perf_counter() - started)
        if checkpoint is not None and run.ranks.rank == 0:
            run.save(checkpoint)
        on_epoch(ShrinkingEpoch(phase.name, run.epochs_done, run.epochs, loss, rate))
    run.ranks.require_equal(supernet.parameters())
    supernet.to("cpu")


class _Run:
    """The state of a training between epochs."""

    def __init__(
        self,
        supernet: ElasticNetwork,
        split: Split,
        config: ShrinkingConfig,
        seed: int,
        device: Device,
        ranks: Ranks,
    ) -> None:
        if config.batch_size % ranks.world:
            raise ConfigError(
                f"ofa.training.batch_size: {config.batch_size} images cannot be shared evenly by {ranks.world} "
                "processes; take a multiple of that"
            )
        self.supernet = device.placed(supernet)
        self.config, self.seed, self.device, self.ranks = config, seed, device, ranks
        self.phases = phases(supernet.space, config)
        self.side = supernet.space.resolutions[-1]
        self.images = torch.from_numpy(at_resolution(split.images, self.side))
        self.labels = torch.from_numpy(split.labels)
        self.steps_per_epoch = max(1, len(split) // config.batch_size)
        self.place, self.epoch = 0, 0  # of the phase; epochs done in it
        self.optimiser = _optimiser(supernet, config)
        self.teacher: Network | None = None
        self.taught: nn.Module | None = None  # the same, as a step calls it
        self.identity = self._identity()

    @property
    def phase(self) -> Phase | None:
        """The one to be trained now; None when all are done."""
        return self.phases[self.place] if self.place < len(self.phases) else None

    @property
    def epochs(self) -> int:
        return sum(phase.config.epochs for phase in self.phases)

    @property
    def epochs_done(self) -> int:
        return sum(phase.config.epochs for phase in self.phases[: self.place]) + self.epoch

    @property
    def images_per_epoch(self) -> int:
        """That this process sees."""
        return self.steps_per_epoch * self.config.batch_size // self.ranks.world

    def train_epoch(self) -> float:
        """One pass over the images; returns the mean loss. Its randomness depends on seed, phase and epoch only."""
        phase = self.phases[self.place]
        if self.epoch == 0:
            self._begin(phase)
        draws = EpochDraws(self.seed, self.place, self.epoch)
        generator = draws.generator(self.ranks)
        total = torch.zeros((), device=self.device.kind)
        for step, batch in enumerate(draws.batches(len(self.labels), self.config.batch_size, self.ranks)):
            self._set_rate(phase, self.epoch * self.steps_per_epoch + step)
            images = augmented(self.device.moved(self.images[batch]), self.config.augment, generator)
            specs = draws.subnets(phase, step, self.config.sandwich)
            total += self._step(images, self.device.moved(self.labels[batch]), specs)
        self.epoch += 1
        if self.epoch == phase.config.epochs:
            self.place, self.epoch = self.place + 1, 0
        return float(total) / self.steps_per_epoch

    def _begin(self, phase: Phase) -> None:
        """New widths need sorted channels, a new phase a new optimiser, the second one a teacher."""
        if self.teacher is None and phase.name != "largest":
            self._teach(self._largest())
        if phase.sorts:
            largest = self.supernet.space.shrunk(kernels=1, depths=1, expand_ratios=1)
            self.supernet.sort_channels(self.phases[self.place - 1].space if self.place else largest)
        self.optimiser = _optimiser(self.supernet, self.config)

    def _largest(self) -> Network:
        """The largest subnet as it is now, a network of its own."""
        space = self.supernet.space
        images = torch.split(self.images[:NORM_IMAGES], self.config.batch_size)
        batches = (to_float(self.device.moved(part)) for part in images)
        return self.supernet.extract(space.netspec(space.largest()), batches)

    def _teach(self, teacher: Network) -> None:
        self.teacher = self.device.placed(teacher).eval()
        self.taught = self.device.stepped(self.teacher)

    def _step(self, images: Tensor, labels: Tensor, specs: Sequence[NetSpec]) -> Tensor:
        """One update from the summed gradients of these subnets; returns their mean loss."""
        self.optimiser.zero_grad()
        total = torch.zeros((), device=self.device.kind)
        with self.device.arithmetic():
            target = self._target(images)
            small = resized(images, specs[0].input_shape[0])
        for spec in specs:
            with self.device.arithmetic():
                loss = self._loss(self.supernet(small, spec), labels, target)
            loss.backward()  # type: ignore[no-untyped-call]
            total += loss.detach() / len(specs)
        self.ranks.average(p.grad for p in self.supernet.parameters() if p.grad is not None)
        self.optimiser.step()
        return total

    def _target(self, images: Tensor) -> Tensor | None:
        if self.taught is None:
            return None
        with torch.no_grad():
            logits: Tensor = self.taught(images)
        return logits

    def _loss(self, logits: Tensor, labels: Tensor, target: Tensor | None) -> Tensor:
        hard = F.cross_entropy(logits, labels, label_smoothing=self.config.label_smoothing)
        if target is None:
            return hard
        return hard + self.config.soft_weight * soft_cross_entropy(logits, target, self.config.temperature)

    def _set_rate(self, phase: Phase, step: int) -> None:
        warmup = round(self.config.warmup_epochs * self.steps_per_epoch)
        rate = cosine(step, phase.config.epochs * self.steps_per_epoch, warmup, phase.config.lr)
        for group in self.optimiser.param_groups:
            group["lr"] = rate

    def save(self, path: Path) -> None:
        """Weights, teacher, optimiser moments, and where the training is."""
        arrays = tensors_of(self.supernet.state_dict(), "supernet.")
        if self.teacher is not None:
            arrays |= tensors_of(self.teacher.state_dict(), "teacher.")
        for index, state in self.optimiser.state_dict()["state"].items():
            arrays |= tensors_of(state, f"optimiser.{index}.")
        place = np.array([self.place, self.epoch])
        save_arrays(path, {**arrays, "place": place, "identity": np.array(self.identity)})

    def restore(self, path: Path) -> None:
        arrays = load_checkpoint(path)
        if str(arrays.get("identity")) != self.identity:
            raise ConfigError(f"{path}: belongs to a training with other settings; remove it or give another file")
        self.supernet.load_state_dict(state_of(arrays, "supernet."))
        self.place, self.epoch = (int(value) for value in arrays["place"])
        if teacher := state_of(arrays, "teacher."):
            network = build_network(self.supernet.net.spec, seed=0)
            network.load_state_dict(teacher)
            self._teach(network)
        state = self.optimiser.state_dict()
        indices = {int(key.split(".")[1]) for key in arrays if key.startswith("optimiser.")}
        state["state"] = {index: state_of(arrays, f"optimiser.{index}.") for index in sorted(indices)}
        self.optimiser.load_state_dict(state)

    def _identity(self) -> str:
        """Hash of what decides the result: space, first weights, configuration, seed, images, processes."""
        settings = [self.config.model_dump(mode="json"), self.seed, self.ranks.world]
        digest = hashlib.sha256(self.supernet.space.model_dump_json().encode())
        digest.update(json.dumps(settings, sort_keys=True).encode())
        digest.update(self.labels.numpy().tobytes() + self.images.numpy().tobytes())
        return digest.hexdigest()


def _optimiser(supernet: ElasticNetwork, config: ShrinkingConfig) -> torch.optim.AdamW:
    """No decay of transforms: it would pull them from the identity to nothing."""
    decayed = [p for p in supernet.net.parameters() if p.ndim > 1]
    plain = [*(p for p in supernet.net.parameters() if p.ndim <= 1), *supernet.transforms.parameters()]
    groups: Sequence[dict[str, object]] = [{"params": decayed}, {"params": plain, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=config.largest.lr, weight_decay=config.weight_decay, foreach=True)
