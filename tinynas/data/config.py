"""`DataConfig`: what the [data] table of an experiment may say, with defaults from `datasets/<name>.toml`."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, NonNegativeInt, PositiveInt, model_validator

from tinynas.errors import ConfigError
from tinynas.resources import resource

Kind = Literal["facewake", "coco", "folder", "digits", "cifar10"]
_READ_BY: dict[str, tuple[Kind, ...]] = {  # settings that only some loaders read
    "path": ("coco", "folder", "cifar10"),
    "annotations": ("coco",),
    "positive": ("coco",),
    "min_area_fraction": ("coco",),
    "classes": ("folder",),
}


class DataConfig(BaseModel, frozen=True, extra="forbid"):
    """One dataset, resized and split.

    `dataset` names a recipe, a file of `datasets/`; every other key overrides what the recipe says.
    Sizes left out mean: share all images 70 / 15 / 15.
    """

    dataset: str  # recipe name
    kind: Kind  # the loader; set by the recipe
    path: Path | None = None  # folder, zip or annotation file of the user's images
    annotations: Path | None = None  # COCO: the instances JSON, where `path` holds several
    positive: str = "person"  # COCO: the category to detect
    min_area_fraction: Annotated[float, Field(ge=0, lt=1)] = 0.005  # COCO: smaller boxes do not count
    classes: tuple[str, ...] | None = None  # folder: the classes wanted, in this order; default: all subfolders
    resolution: Annotated[int, Field(ge=8, le=512)] = 64  # image height = width, pixels
    channels: Literal[1, 3] = 1  # 1 grey, 3 RGB
    train_images: PositiveInt | None = None
    validation_images: PositiveInt | None = None
    test_images: PositiveInt | None = None
    seed: NonNegativeInt = 0

    @model_validator(mode="before")
    @classmethod
    def _with_recipe(cls, value: Any) -> Any:
        """Put the recipe's settings under the given ones."""
        if not isinstance(value, dict) or not isinstance(value.get("dataset"), str):
            return value
        return recipe(value["dataset"]) | value

    @model_validator(mode="after")
    def _without_effect(self) -> DataConfig:
        """Refuse a setting that this dataset does not read: the user means another dataset."""
        for key, kinds in _READ_BY.items():
            if self.kind not in kinds and getattr(self, key) != type(self).model_fields[key].default:
                raise ConfigError(
                    f"data.{key}: has no effect on dataset {self.dataset!r}; remove it, or take dataset "
                    + " or ".join(map(repr, kinds))
                )
        return self

    @property
    def sizes(self) -> tuple[int | None, int | None, int | None]:
        """Images wanted in (train, validation, test)."""
        return self.train_images, self.validation_images, self.test_images


def dataset_names() -> tuple[str, ...]:
    """Names of the recipes that ship with the package."""
    return tuple(sorted(path.stem for path in resource("datasets").glob("*.toml")))


def recipe(name: str) -> dict[str, Any]:
    """Settings of `datasets/<name>.toml`. Raises ConfigError if there is no such recipe."""
    if name not in dataset_names():
        raise ConfigError(
            f"data.dataset: unknown dataset {name!r}; known: {', '.join(dataset_names())}. "
            "For your own images take 'folder' or 'coco' and set data.path."
        )
    path = resource("datasets") / f"{name}.toml"
    try:
        return tomllib.loads(path.read_text())
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: {error}") from error
