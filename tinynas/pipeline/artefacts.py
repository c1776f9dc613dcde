"""What a user takes out of a run folder: model.json, and example/, which classifies one image on the board."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from tinynas.data.types import Dataset
from tinynas.graph.tflite_reader import read_tflite
from tinynas.pipeline.files import write_bytes


def model_description(model: bytes, data: Dataset, board: str, firmware: dict[str, Any], seed: int) -> dict[str, Any]:
    """model.json: all one needs to know to feed the network and to read its output."""
    import hashlib

    graph = read_tflite(model)
    source, result = graph.tensors[graph.inputs[0]], graph.tensors[graph.outputs[0]]
    assert source.quant is not None and result.quant is not None
    _, height, width, channels = source.shape
    return {
        "sha256": hashlib.sha256(model).hexdigest(),
        "labels": list(data.classes),
        "input": {
            "height": height,
            "width": width,
            "channels": channels,
            "colour": "grey" if channels == 1 else "RGB",
            "layout": "height, width, channels",
            "resize": "squashed to height x width, bilinear, averaging where it shrinks",
            "pixel_to_int8": "pixel (0 to 255) - 128",
            "scale": float(source.quant.scale[0]),
            "zero_point": int(source.quant.zero_point[0]),
        },
        "output": {
            "meaning": "probability of each label = (int8 - zero_point) * scale",
            "scale": float(result.quant.scale[0]),
            "zero_point": int(result.quant.zero_point[0]),
        },
        "data": {
            "name": data.name,
            "sha256": data.sha256,
            "seed": seed,
            "split": {name: len(split) for name, split in data.splits.items()},
        },
        "board": board,
        "firmware": firmware,
    }


def write_example(folder: Path, data: Dataset) -> None:
    """example/: the program, a README, and one image to try it on."""
    templates = files("tinynas.pipeline") / "example"
    for name in ("classify.py", "README.md"):
        write_bytes(folder / name, (templates / name).read_bytes())
    _write_image(folder / "image.png", data.validation.images[0])


def _write_image(path: Path, pixels: np.ndarray[Any, np.dtype[np.uint8]]) -> None:
    from PIL import Image

    Image.fromarray(pixels.squeeze(-1) if pixels.shape[2] == 1 else pixels).save(path)
