"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from tinynas.errors import StoreError


def write_whole(path: Path, text: str) -> None:
    """Makes `text` the content of the file at `path`, which keeps its mode; folders are made.

    Raises:
        StoreError: it cannot be written; the old content is still there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
        handle, partial = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            Path(partial).chmod(mode)
            Path(partial).replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(partial).unlink()
            raise
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {error.strerror}; is there space left?") from error
