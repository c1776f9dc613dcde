"""Generated models as shared libraries of this machine; kernels and models are compiled once per content."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from tinynas.engine.generate import Generated
from tinynas.errors import ToolError
from tinynas.resources import cache_dir, resource

FLAGS = ("-std=c99", "-O2", "-fPIC", "-Wall", "-Wextra", "-Wconversion", "-Werror")


def compile_host(generated: Generated) -> Path:
    """Shared library of a model with per-op marks and its kernels; from the cache if the same sources were built.

    Raises:
        ToolError: no C compiler, or it failed (its first error is in the message).
    """
    engine = resource("firmware") / "engine"
    command = (host_compiler(), *FLAGS, f"-I{engine / 'include'}")
    objects = [_kernel_object(engine, name, command) for name in generated.kernels]
    key = _digest([*map(str, (*command, *objects)), *map(repr, sorted(generated.files.items()))])

    def build(folder: Path, made: Path) -> None:
        for name, content in generated.files.items():
            (folder / name).write_bytes(content)
        sources = [folder / name for name in generated.files if name.endswith(".c")]
        _run([*command, "-O1", "-DTN_PROFILE", "-shared", *map(str, (*sources, *objects)), "-o", str(made)])

    return _once(f"{key}.so", build)


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


def _kernel_object(engine: Path, name: str, command: Sequence[str]) -> Path:
    source = engine / "src" / name
    key = _digest([*command, _headers(engine / "include"), source.read_text()])
    return _once(f"{source.stem}-{key}.o", lambda folder, made: _run([*command, "-c", str(source), "-o", str(made)]))


@cache
def _headers(folder: Path) -> str:
    return "\0".join(path.read_text() for path in sorted(folder.glob("*.h")))


def _digest(parts: Sequence[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def _once(name: str, build: Callable[[Path, Path], None]) -> Path:
    """The cached file `name`, made by `build(scratch folder, file to write)` if it is not there."""
    target = cache_dir() / "host" / name
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            made = Path(folder) / name
            build(Path(folder), made)
            made.replace(target)  # two builders at once: the last wins, both files are the same
    return target


def _run(command: Sequence[str]) -> None:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        lines = result.stderr.splitlines() or ["no message"]
        first = next((line for line in lines if "error" in line), lines[0])
        raise ToolError(f"{command[0]} failed: {first}")
