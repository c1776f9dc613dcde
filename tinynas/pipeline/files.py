"""Small files of a run, always whole: written under a temporary name, then renamed."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from tinynas.errors import StoreError


def write_bytes(path: Path, content: bytes) -> None:
    """Replace `path`; a reader or a killed run sees the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from error


def write_json(path: Path, value: Any) -> None:
    """`value` as indented JSON."""
    write_bytes(path, (json.dumps(value, indent=2) + "\n").encode())


def read_json(path: Path) -> Any:
    """The JSON in `path`.

    Raises:
        StoreError: missing or damaged file.
    """
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise StoreError(f"{path}: {error}; remove {path.parent} and run the same command again") from error


def link(place: Path, target: Path) -> None:
    """Make `place` a relative symbolic link to `target`, replacing an older link."""
    place.parent.mkdir(parents=True, exist_ok=True)
    partial = place.with_name(f".{place.name}.{os.getpid()}.tmp")
    partial.unlink(missing_ok=True)
    partial.symlink_to(os.path.relpath(target.resolve(), place.parent.resolve()))
    partial.replace(place)
