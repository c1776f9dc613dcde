"""What turns a model into an image, as hashes: whatever depends on images names them in its key."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import tinynas
from tinynas.lab.board import Board
from tinynas.lab.build import firmware

_PLANNER = ("graph", "plan", "engine")  # packages that make C out of a model, and say what memory that needs


def image_makers(board: Board) -> dict[str, str]:
    """Hashes of a board's prebuilt parts, with compiler and flags, and of what generates a model's own code.

    Raises:
        ToolError, StoreError: as of `firmware`.
    """
    return {"firmware": firmware(board).firmware_hash, "planner": planner_hash()}


@lru_cache(maxsize=1)
def planner_hash() -> str:
    """Of the planner's and code generator's source as installed; about 2 ms, once per process."""
    package = Path(tinynas.__file__).parent
    return sources_hash([package / name for name in _PLANNER])


def sources_hash(folders: Sequence[Path]) -> str:
    """Of all Python files below `folders`, with their names."""
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
            content = path.read_bytes()
            digest.update(f"{path.relative_to(folder.parent).as_posix()}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()
