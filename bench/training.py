"""`python -m bench.training`: our training loop against a plain PyTorch loop, images per CPU second.

Same network, one process, one thread, by turns, so that the ratio means something on a busy machine. The plain loop has
what a tutorial has: a DataLoader over float tensors, cross-entropy, AdamW; no augmentation.
"""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable
from statistics import median
from typing import Annotated

import numpy as np
import torch
import typer
from rich.console import Console
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from tinynas.data.types import Split
from tinynas.nets.network import Network, build_network
from tinynas.space.mobilenet import scaled_mobilenet_v2
from tinynas.train.config import AugmentConfig, HardwareConfig, TrainConfig
from tinynas.train.supervised import train

SIDE, CLASSES, BATCH = 64, 2, 32
STILL = AugmentConfig(mirror=False, shift=0.0, brightness=0.0, contrast=0.0)


def main(
    images: Annotated[int, typer.Option(min=BATCH, help="Of one pass.")] = 1024,
    rounds: Annotated[int, typer.Option(min=1, help="Passes of each loop; the median counts.")] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Images per CPU second of both loops, of ours with augmentation and in bfloat16 too."""
    torch.set_num_threads(1)
    split = random_images(images)
    loops: dict[str, Callable[[], None]] = {
        "plain PyTorch loop": lambda: plain_loop(new_network(), split),
        "ours, no augmentation": lambda: our_loop(new_network(), split, STILL, "off"),
        "ours": lambda: our_loop(new_network(), split, AugmentConfig(), "off"),
        "ours, bfloat16": lambda: our_loop(new_network(), split, AugmentConfig(), "on"),
    }
    rates = {name: images / spent for name, spent in median_seconds(loops, rounds).items()}
    report(rates, as_json)


def random_images(count: int) -> Split:
    """Noise: speed does not depend on what is seen."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (count, SIDE, SIDE, 1), np.uint8)
    return Split(pixels, rng.integers(0, CLASSES, count), np.array(["noise"] * count))


def new_network() -> Network:
    """MobileNetV2 at a width that suits a microcontroller."""
    return build_network(scaled_mobilenet_v2(0.35, SIDE, 1, CLASSES), seed=0)


def plain_loop(network: Network, split: Split) -> None:
    """One pass."""
    pixels = torch.from_numpy(split.images).permute(0, 3, 1, 2).float() / 255
    loader = DataLoader(TensorDataset(pixels, torch.from_numpy(split.labels)), BATCH, shuffle=True, drop_last=True)
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3)
    network.train()
    for x, y in loader:
        optimiser.zero_grad()
        F.cross_entropy(network(x), y).backward()  # type: ignore[no-untyped-call]
        optimiser.step()


def our_loop(network: Network, split: Split, augment: AugmentConfig, bfloat16: str) -> None:
    """One pass, the measuring of BatchNorm's statistics after it included."""
    hardware = HardwareConfig.model_validate({"device": "cpu", "bfloat16": bfloat16})
    train(network, split, TrainConfig(epochs=1, batch_size=BATCH, augment=augment), seed=0, hardware=hardware)


def median_seconds(loops: dict[str, Callable[[], None]], rounds: int) -> dict[str, float]:
    """CPU seconds of each loop, after a pass to warm up."""
    spent: dict[str, list[float]] = {name: [] for name in loops}
    for turn in range(rounds + 1):
        for name, loop in loops.items():
            began_s = time.process_time()
            loop()
            if turn:
                spent[name].append(time.process_time() - began_s)
    return {name: median(seconds) for name, seconds in spent.items()}


def report(rates: dict[str, float], as_json: bool) -> None:
    """Rates and their ratio to the plain loop's."""
    if as_json:
        machine = {"machine": platform.platform(), "torch": torch.__version__}
        print(json.dumps({**machine, "images_per_cpu_s": {name: round(rate, 1) for name, rate in rates.items()}}))
        return
    plain = next(iter(rates.values()))
    for name, rate in rates.items():
        Console().print(f"{name:<24}{rate:8.0f} images per CPU second {rate / plain:6.2f}x", highlight=False)


if __name__ == "__main__":
    typer.run(main)
