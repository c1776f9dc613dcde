"""Named arrays in one .npz, written whole or not at all."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinynas.errors import StoreError, TinyNasError


def save_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write under a temporary name, then rename: a killed run leaves the old file or the new one.

    Raises StoreError, with nothing left behind, if the disk is full or the folder cannot be written.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            np.savez(file, allow_pickle=False, **dict(arrays))
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise StoreError(f"{path}: cannot write ({error}); free some space or choose another folder") from error


def load_arrays(path: Path, error: type[TinyNasError], hint: str) -> dict[str, NDArray[Any]]:
    """The arrays of an .npz. Raises `error`, with `hint`, if it is missing, truncated or holds Python objects."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            return {key: stored[key] for key in stored.files}
    except (OSError, ValueError, EOFError, AttributeError, zipfile.BadZipFile) as cause:
        raise error(f"{path}: cannot read these arrays ({cause}); {hint}") from cause
