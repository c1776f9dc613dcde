"""What the reference computes between its stages, kept as memory-mapped float16 files."""

from __future__ import annotations

import json
import shutil
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tinynas.data.images import at_resolution
from tinynas.distill.nsr import channel_variance
from tinynas.errors import StoreError
from tinynas.nets.network import Network
from tinynas.train.augment import to_float
from tinynas.train.device import CPU, Device

Features = np.ndarray[Any, np.dtype[np.float16]]
_COMPLETE = "complete.json"


@dataclass(frozen=True)
class FeatureStore:
    """One set of images at one resolution, seen through the reference.

    `features(b)` is what flows over boundary b: 0 after the stem, s + 1 after stage s; (n, h, w, c).
    """

    folder: Path

    def features(self, boundary: int) -> Features:
        loaded: Features = np.load(self.folder / f"boundary{boundary}.npy", mmap_mode="r")
        return loaded

    def variance(self, boundary: int) -> Tensor:
        """(c,), floored, of the boundary's channels over these images."""
        return torch.from_numpy(np.load(self.folder / f"variance{boundary}.npy"))


def store_features(
    reference: Network, images: NDArray[np.uint8], resolution: int, folder: Path, batch_size: int = 250
) -> FeatureStore:
    """Run the reference once over `images` at `resolution`; kept from an earlier, whole run if there was one."""
    store = FeatureStore(folder)
    if (folder / _COMPLETE).exists():
        return store
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        _write(reference, at_resolution(images, resolution), folder, batch_size)
        for boundary in range(len(reference.stages) + 1):
            np.save(folder / f"variance{boundary}.npy", channel_variance(store.features(boundary)))
        (folder / _COMPLETE).write_text(json.dumps({"images": len(images), "resolution": resolution}))
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise StoreError(
            f"{folder}: cannot write the reference's features ({error}); free some space or lower library.images"
        ) from error
    return store


def _write(reference: Network, images: NDArray[np.uint8], folder: Path, batch_size: int) -> None:
    """Plain sequential writes: a full disk is an error here, in a memory map it would kill the process."""
    reference = reference.to(memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
    with ExitStack() as stack, torch.inference_mode():
        files: list[BinaryIO] = []
        for batch in torch.split(torch.from_numpy(images), batch_size):
            values = _boundaries(reference, to_float(batch))
            if not files:
                files = [_create(folder, i, (len(images), *v.shape[1:]), stack) for i, v in enumerate(values)]
            for file, value in zip(files, values, strict=True):
                file.write(value.tobytes())


def _boundaries(reference: Network, x: Tensor) -> list[NDArray[np.float16]]:
    """Values over every boundary, NHWC."""
    values: list[Tensor] = [reference.stem(x)]
    for stage in reference.stages:
        values.append(stage(values[-1]))
    return [value.permute(0, 2, 3, 1).half().numpy() for value in values]


def _create(folder: Path, boundary: int, shape: tuple[int, ...], stack: ExitStack) -> BinaryIO:
    """An .npy file of float16 in C order with its header written, ready for the values."""
    file = stack.enter_context((folder / f"boundary{boundary}.npy").open("wb"))
    header = {"descr": np.lib.format.dtype_to_descr(np.dtype(np.float16)), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    return file


def as_batch(features: Features, index: NDArray[np.int64] | slice, device: Device = CPU) -> Tensor:
    """Rows of a feature file as float32 (n, c, h, w) in channels_last memory, on the device."""
    return device.moved(torch.from_numpy(np.array(features[index]))).permute(0, 3, 1, 2).float()
