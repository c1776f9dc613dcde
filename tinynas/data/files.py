"""Image files in a folder or a zip, listed and decoded the same way."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tinynas.data.images import SUFFIXES, read_image
from tinynas.errors import DataError


@dataclass(frozen=True)
class FileTree:
    """Files under `root` (a folder or a zip), by their path inside it, with "/" between parts."""

    root: Path
    names: tuple[str, ...]  # sorted; no hidden files
    folders: tuple[str, ...]  # sorted; also the empty ones
    stamp: str  # hash of names, sizes and times: changes when the files do
    read: Callable[[str], bytes]

    @property
    def images(self) -> tuple[str, ...]:
        """The names that end like an image's."""
        return tuple(name for name in self.names if PurePosixPath(name).suffix.lower() in SUFFIXES)


def open_tree(root: Path) -> FileTree:
    """List `root`. Raises DataError if it is missing or neither a folder nor a zip."""
    if root.is_dir():
        return _folder_tree(root)
    if not root.exists():
        raise DataError(f"{root}: no such folder or zip; set data.path to where the images are")
    try:
        return _zip_tree(root)
    except zipfile.BadZipFile as error:
        raise DataError(f"{root}: neither a folder nor a readable zip ({error})") from error


def _hidden(name: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(name).parts)


def _stamp(rows: Sequence[tuple[object, ...]]) -> str:
    return hashlib.sha256(repr(rows).encode()).hexdigest()


def _folder_tree(root: Path) -> FileTree:
    entries = {path.relative_to(root).as_posix(): path for path in sorted(root.rglob("*"))}
    shown = {name: path for name, path in entries.items() if not _hidden(name)}
    names = tuple(name for name, path in shown.items() if path.is_file())
    folders = tuple(name for name, path in shown.items() if path.is_dir())
    rows = [(name, shown[name].stat().st_size, shown[name].stat().st_mtime_ns) for name in names]
    return FileTree(root, names, folders, _stamp(rows), lambda name: (root / name).read_bytes())


def _zip_tree(root: Path) -> FileTree:
    archive = zipfile.ZipFile(root)
    infos = sorted((info for info in archive.infolist() if not _hidden(info.filename)), key=lambda info: info.filename)
    names = tuple(info.filename for info in infos if not info.is_dir())
    folders = {str(parent) for info in infos for parent in PurePosixPath(info.filename + "x").parents}
    rows = [(info.filename, info.file_size, info.CRC) for info in infos]
    return FileTree(root, names, tuple(sorted(folders - {"."})), _stamp(rows), archive.read)


def decode(
    tree: FileTree, names: Sequence[str], resolution: int, channels: Literal[1, 3], threads: int = 2
) -> NDArray[np.uint8]:
    """All of `names`, decoded: (n, resolution, resolution, channels). Raises DataError naming the first bad file."""
    from joblib import Parallel, delayed

    images = np.empty((len(names), resolution, resolution, channels), np.uint8)
    workers = Parallel(n_jobs=threads, prefer="threads", return_as="generator")
    pixels = workers(delayed(_decode_one)(tree, name, resolution, channels) for name in names)
    for index, image in enumerate(pixels):
        images[index] = image
    return images


def _decode_one(tree: FileTree, name: str, resolution: int, channels: Literal[1, 3]) -> NDArray[np.uint8]:
    path = f"{tree.root}/{name}"
    try:
        content = tree.read(name)
    except (OSError, zipfile.BadZipFile, KeyError) as error:
        raise DataError(f"{path}: cannot read this file ({error})") from error
    return read_image(io.BytesIO(content), resolution, channels, path)
