"""Finds the images that --data names, at the size and colour that a model takes."""

from __future__ import annotations

import enum
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinynas.errors import ConfigError, DataError

if TYPE_CHECKING:
    from tinynas.cli.models import Model
    from tinynas.data.config import DataConfig
    from tinynas.data.types import Dataset, Split


class SplitName(enum.StrEnum):
    """Which images of a data set."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"
    ALL = "all"  # for a folder that is a test set already


def image_input(model: Model) -> tuple[int, int, int]:
    """(height, width, channels) of a model that takes one square image.

    Raises:
        DataError: several inputs, or not one square grey or RGB image.
    """
    shapes = [model.graph.tensors[index].shape for index in model.graph.inputs]
    match shapes:
        case [(1, height, width, (1 | 3) as channels)] if height == width:
            return height, width, channels
    raise DataError(f"{model.path}: takes {shapes}, not one square image [1, side, side, 1 or 3]; no data set fits it")


def model_split(model: Model, data: str, split: SplitName) -> Split:
    """Images and labels of `data` as `model` takes them.

    For a model whose input is not square, an MLPerf Tiny folder holds features (keyword spotting: 49 x 10), which are
    int8 already and come back as value + 128.
    """
    from tinynas.cli import mlperf_folder

    shapes = [model.graph.tensors[index].shape for index in model.graph.inputs]
    match shapes:
        case [(1, height, width, channels)] if height != width and mlperf_folder.is_one(Path(data)):
            return mlperf_folder.read(Path(data), (height, width, channels), signed=True)
    return load_split(data, image_input(model), split)


def load_split(data: str, shape: tuple[int, int, int], split: SplitName) -> Split:
    """Images and labels of `data` for a model with that input (height, width, channels).

    `data` is a data set name, an image folder or zip, a COCO folder, an MLPerf Tiny folder, or a .toml.
    """
    from tinynas.cli import mlperf_folder
    from tinynas.data.images import at_resolution

    if mlperf_folder.is_one(Path(data)):
        return mlperf_folder.read(Path(data), shape)
    images = _pick(load(data, shape), split)
    return replace(images, images=at_resolution(images.images, shape[0]))


def load(data: str, shape: tuple[int, int, int]) -> Dataset:
    """The data set that `data` names, in the colour of `shape`, at its resolution or above."""
    from tinynas.data.load import load_dataset
    from tinynas.resources import cache_dir

    return load_dataset(data_config(data, shape), cache_dir())


def data_config(data: str, shape: tuple[int, int, int]) -> DataConfig:
    """The configuration that `data` stands for.

    Raises:
        ConfigError: no such data set, folder, zip or .toml.
    """
    from pydantic import ValidationError

    from tinynas.data.config import DataConfig

    try:
        config = DataConfig.model_validate(_table(data) | {"channels": shape[2]})
        return config.model_copy(update={"resolution": max(config.resolution, shape[0])})
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(f"{data}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def _table(data: str) -> dict[str, Any]:
    """The [data] table that `data` stands for."""
    from tinynas.data.config import dataset_names

    path = Path(data)
    if data in dataset_names():
        return {"dataset": data}
    if path.suffix == ".toml":
        return _toml_table(path)
    if not path.exists():
        raise ConfigError(
            f"--data {data}: neither a file or folder nor a data set; known: {', '.join(dataset_names())}"
        )
    return {"dataset": kind_of(path), "path": path}


def kind_of(path: Path) -> str:
    """`coco` for a folder with an instances JSON (or that JSON), else `folder`."""
    is_coco = path.suffix == ".json" or (path.is_dir() and any(path.rglob("*.json")))
    return "coco" if is_coco else "folder"


def _toml_table(path: Path) -> dict[str, Any]:
    """A data set file, or the [data] table of an experiment."""
    try:
        content = tomllib.loads(path.read_text())
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: {error}") from error
    table = content.get("data", content)
    if not isinstance(table, dict):
        raise ConfigError(f"{path}: data: wanted a table, found {table!r}")
    return table


def _pick(dataset: Dataset, split: SplitName) -> Split:
    import numpy as np

    from tinynas.data.types import Split

    if split is not SplitName.ALL:
        return dataset.splits[split.value]
    parts = list(dataset.splits.values())
    return Split(
        np.concatenate([part.images for part in parts]),
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.sources for part in parts]),
    )
