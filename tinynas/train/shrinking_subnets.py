"""Subnets of a trained supernet, made ready for use and judged."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tinynas.data.images import at_resolution
from tinynas.data.types import Split
from tinynas.nets.elastic import ElasticNetwork
from tinynas.nets.network import Network
from tinynas.space.netspec import NetSpec
from tinynas.train.augment import to_float
from tinynas.train.config import CPU_ONLY, HardwareConfig
from tinynas.train.device import open_device
from tinynas.train.supervised import accuracy

_BATCH = 128  # images over which one estimate of BatchNorm's statistics is made


def norm_images(train: Split, count: int, seed: int) -> NDArray[np.uint8]:
    """`count` distinct training images in random order, for BatchNorm's statistics: a batch has all classes."""
    return train.images[np.random.default_rng(seed).permutation(len(train))[:count]]


class Subnets:
    """Takes subnets out of a supernet; images (n, h, w, c) are scaled to each resolution once.

    BatchNorm's statistics of every subnet are re-estimated on `images`. At another resolution the images are those
    that the int8 network and the board see. All is done where `hardware` says, and the supernet is moved there.
    """

    def __init__(
        self, supernet: ElasticNetwork, images: NDArray[np.uint8], hardware: HardwareConfig = CPU_ONLY
    ) -> None:
        self._hardware, self._device = hardware, open_device(hardware)
        self.supernet = supernet.to(self._device.kind)
        self._images = images
        self._scaled: dict[int, NDArray[np.uint8]] = {}
        self._splits: dict[tuple[Split, int], Split] = {}

    def network(self, spec: NetSpec) -> Network:
        """The subnet `spec`, in evaluation mode, on the device."""
        return self.supernet.extract(spec, self._batches(spec.input_shape[0]))

    def accuracy(self, spec: NetSpec, split: Split) -> float:
        """Fraction of `split` that the subnet labels right."""
        return self.accuracy_of(self.network(spec), split)

    def accuracy_of(self, network: Network, split: Split) -> float:
        """As `accuracy`, of a subnet that `network` gave."""
        return accuracy(network, self._at(split, network.spec.input_shape[0]), hardware=self._hardware)

    def _batches(self, side: int) -> Iterator[Tensor]:
        if side not in self._scaled:
            self._scaled[side] = at_resolution(self._images, side)
        parts = torch.split(torch.from_numpy(self._scaled[side]), _BATCH)
        return (to_float(self._device.moved(part)) for part in parts)

    def _at(self, split: Split, side: int) -> Split:
        key = (split, side)
        if key not in self._splits:
            self._splits[key] = Split(at_resolution(split.images, side), split.labels, split.sources)
        return self._splits[key]
