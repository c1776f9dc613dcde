"""The QEMU plugin that counts blocks, compiled for this machine into the cache."""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
from pathlib import Path

from tinynas.engine.compile_host import host_compiler
from tinynas.errors import ToolError
from tinynas.resources import cache_dir, resource

FLAGS = ("-O2", "-shared", "-fPIC", "-Wall", "-Wextra")


def block_counter(cache: Path | None = None) -> Path:
    """Shared library of firmware/platforms/qemu/bbprof.c; built if the cache does not have this very source.

    Raises:
        ToolError: no host compiler, or it failed.
    """
    source = resource("firmware") / "platforms" / "qemu" / "bbprof.c"
    compiler = host_compiler()
    parts = (compiler, *FLAGS, source.read_text(), (source.parent / "qemu_plugin_v1.h").read_text())
    key = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]
    target = (cache or cache_dir()) / "qemu" / f"bbprof-{key}.so"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            made = Path(folder) / target.name
            _compile([compiler, *FLAGS, "-o", str(made), str(source)])
            made.replace(target)  # two builders at once: both files are the same
    return target


def _compile(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ToolError(f"cannot build QEMU's block counter: {command[0]} failed: {done.stderr.strip()}")
