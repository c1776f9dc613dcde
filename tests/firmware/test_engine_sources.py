"""The engine's C as a library: no warnings, no memory of its own, headers that C++ takes."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tinynas.engine.compile_host import host_compiler
from tinynas.resources import resource

ENGINE = resource("firmware") / "engine"
SOURCES = sorted((ENGINE / "src").glob("*.c"))
HEADERS = sorted((ENGINE / "include").glob("*.h"))
WARNINGS = ["-Wall", "-Wextra", "-Wconversion", "-Wpedantic", "-Wshadow", "-Wvla", "-Werror"]
ARM = {
    "m0": ["-mcpu=cortex-m0", "-mthumb"],
    "m4": ["-mcpu=cortex-m4", "-mthumb"],
    "m55": ["-mcpu=cortex-m55", "-mthumb", "-mfloat-abi=hard"],
}
COMPILERS = {"host": [], **ARM}


def compiler(target: str) -> list[str]:
    if target == "host":
        return [host_compiler()]
    found = shutil.which("arm-none-eabi-gcc")
    if found is None:
        pytest.skip("arm-none-eabi-gcc is not installed")
    return [found, *ARM[target]]


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("target", list(COMPILERS))
def test_sources_compile_without_warnings(target: str, tmp_path: Path) -> None:
    sources = [str(path) for path in SOURCES]
    flags = ["-std=c99", "-O2", *WARNINGS, f"-I{ENGINE / 'include'}", "-c", *sources]
    result = subprocess.run([*compiler(target), *flags], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("target", ["host", "m4"])
def test_kernels_own_no_memory(target: str, tmp_path: Path) -> None:
    """No .data, no .bss, no allocation; beside each other they may call libc's mem functions only."""
    defined, called = set(), {}
    for path in SOURCES:
        made = tmp_path / f"{path.stem}.o"
        result = run([*compiler(target), "-O2", f"-I{ENGINE / 'include'}", "-c", str(path), "-o", str(made)])
        assert result.returncode == 0, result.stderr
        symbols = [line.split()[-2:] for line in run(["nm", str(made)]).stdout.splitlines()]
        assert not [name for kind, name in symbols if kind.lower() in "bdc"], path.name
        defined |= {name for kind, name in symbols if kind == "T"}
        called[path.name] = {name for kind, name in symbols if kind == "U"}
    allowed = defined | {"memcpy", "memset", "memmove", "_GLOBAL_OFFSET_TABLE_", "__stack_chk_fail"}
    assert {name: names - allowed for name, names in called.items() if names - allowed} == {}


@pytest.mark.parametrize("header", HEADERS, ids=lambda path: path.name)
def test_headers_stand_alone_in_c_and_cpp(header: Path, tmp_path: Path) -> None:
    for suffix, standard in ((".c", "-std=c99"), (".cpp", "-std=c++17")):
        source = tmp_path / f"use{suffix}"
        source.write_text(f'#include "{header.name}"\n#include "{header.name}"\n')
        flags = [standard, *WARNINGS, f"-I{ENGINE / 'include'}", "-fsyntax-only", str(source)]
        result = run([host_compiler(), *flags])
        assert result.returncode == 0, result.stderr
