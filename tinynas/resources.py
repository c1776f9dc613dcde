"""Where the files that ship with the package live: firmware, boards, datasets, experiments."""

import os
from pathlib import Path
from typing import Literal

Kind = Literal["firmware", "boards", "datasets", "experiments"]


def resource(kind: Kind) -> Path:
    """The folder of `kind`: inside an installed wheel, else beside the package in a checkout."""
    package = Path(__file__).parent
    shipped = package / "_data" / kind
    return shipped if shipped.is_dir() else package.parent / kind


def license_file() -> Path:
    """The licence of this project, which goes with every copy of its sources."""
    package = Path(__file__).parent
    shipped = package / "_data" / "LICENSE"
    return shipped if shipped.is_file() else package.parent / "LICENSE"


def cache_dir() -> Path:
    """The user's cache folder ($TINYNAS_CACHE, else $XDG_CACHE_HOME/tinynas); builds never go into the package."""
    if chosen := os.environ.get("TINYNAS_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "tinynas"
