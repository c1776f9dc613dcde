"""Generated models as shared libraries of this machine, built once per content."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tinynas.engine.generate import Generated
from tinynas.errors import ToolError
from tinynas.resources import cache_dir, resource

FLAGS = ("-std=c99", "-O2", "-shared", "-fPIC", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-DTN_PROFILE")


def compile_host(generated: Generated, flags: tuple[str, ...] = FLAGS) -> Path:
    """Shared library of a model and its kernels with per-op marks; from the cache if the same sources were built.

    Raises:
        ToolError: no C compiler, or it failed (its first error is in the message).
    """
    engine = resource("firmware") / "engine"
    compiler = host_compiler()
    library = cache_dir() / "host" / f"{_digest(generated, engine, (compiler, *flags))}.so"
    if not library.exists():
        library.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=library.parent) as folder:
            built = _build(generated, engine, Path(folder), (compiler, *flags))
            built.replace(library)  # two builders at once: the last wins, both files are the same
    return library


def host_compiler() -> str:
    """Path of $CC, or of the first C compiler found.

    Raises:
        ToolError: there is none.
    """
    names = (os.environ["CC"],) if os.environ.get("CC") else ("gcc", "cc", "clang")
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        raise ToolError(f"no C compiler among {', '.join(names)}; install one (Debian: apt-get install gcc)")
    return found


def _digest(generated: Generated, engine: Path, command: tuple[str, ...]) -> str:
    digest = hashlib.sha256("\0".join(command).encode())
    sources = [engine / "src" / name for name in generated.kernels]
    for path in (*sorted((engine / "include").glob("*.h")), *sources):
        digest.update(path.read_bytes())
    for name, content in sorted(generated.files.items()):
        digest.update(name.encode() + b"\0" + content)
    return digest.hexdigest()[:32]


def _build(generated: Generated, engine: Path, folder: Path, command: tuple[str, ...]) -> Path:
    for name, content in generated.files.items():
        (folder / name).write_bytes(content)
    sources = [folder / name for name in generated.files if name.endswith(".c")]
    sources += [engine / "src" / name for name in generated.kernels]
    library = folder / "model.so"
    arguments = [*command, f"-I{engine / 'include'}", f"-I{folder}", *map(str, sources), "-o", str(library)]
    result = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        lines = result.stderr.splitlines() or ["no message"]
        first = next((line for line in lines if "error" in line), lines[0])
        raise ToolError(f"{command[0]} failed on model {generated.name!r}: {first}")
    return library
