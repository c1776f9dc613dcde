"""Folders of the cache that hold what is expensive to make: made once, whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tinynas.errors import StoreError


def made_once(folder: Path, fill: Callable[[Path], None]) -> Path:
    """`folder`, filled by `fill` if it is not there: made under another name and renamed, so never seen half done."""
    if folder.is_dir():
        return folder
    with _disk_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".new-"))
        try:
            fill(made)
            made.chmod(0o755)
            made.rename(folder)
        except OSError:
            if not folder.is_dir():  # else another process was faster, with the same content
                raise
        finally:
            shutil.rmtree(made, ignore_errors=True)
    return folder


def made_in(folder: Path | None, kept: Path, fill: Callable[[Path], None]) -> Path:
    """`folder`, filled now whatever is in it; or, where that is None, `kept`, made once."""
    if folder is None:
        return made_once(kept, fill)
    with _disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        fill(folder)
    return folder


@contextmanager
def _disk_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"{path}: cannot be written: {error.strerror}; free some space or set TINYNAS_CACHE"
        ) from error
