"""Stage 1: the images."""

from __future__ import annotations

from tinynas.data.load import load_dataset
from tinynas.data.types import Dataset
from tinynas.pipeline.context import Context
from tinynas.resources import cache_dir


def load_data(context: Context) -> Dataset:
    """The dataset; the cache folder keeps it over runs, whatever their other settings."""
    context.progress.begin("data", "making or reading the images", 1)
    data = load_dataset(context.experiment.data, cache_dir())
    sizes = ", ".join(f"{len(split):,} {name}" for name, split in data.splits.items())
    context.progress.end(f"{data.name}: {' / '.join(data.classes)}; images: {sizes}")
    return data
