"""An exported library builds without warnings, alone, in C99 and C++17, and gives TFLite Micro's bytes."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.lab.nets import small_net
from tinynas.engine.compile_host import host_compiler
from tinynas.engine.export import Library, c_library, core_of, library_name
from tinynas.errors import ModelError
from tinynas.graph.tflite_reader import read_tflite
from tinynas.graph.tflm import TflmInterpreter
from tinynas.quantize.seeded import seeded_inputs

WARNINGS = ["-Wall", "-Wextra", "-Wconversion", "-Werror"]
CORES = ("portable", "cortex-m4")
HOST_COMPILERS = [name for name in ("gcc", "clang") if shutil.which(name)]
ARM_FLAGS = {
    "cortex-m0": ["-mcpu=cortex-m0", "-mthumb"],
    "cortex-m4": ["-mcpu=cortex-m4", "-mthumb"],
    "cortex-m55": ["-mcpu=cortex-m55", "-mthumb", "-mfloat-abi=hard"],
}


def exported(core: str, folder: Path, seed: int = 0, name: str = "small") -> Path:
    """The library of a small network, written to `folder`."""
    _write(c_library(read_tflite(small_net(seed)), core_of(core), "small.tflite", name=name), folder)
    return folder


def _write(library: Library, folder: Path) -> None:
    for path, content in library.files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


def sources(folder: Path) -> list[str]:
    return [str(path) for path in sorted((folder / "src").glob("*.c"))]


def run(*command: str, cwd: Path) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def outputs(program: Path, inputs: list[np.ndarray[tuple[int, ...], np.dtype[np.int8]]]) -> bytes:
    data = b"".join(array.tobytes() for array in inputs)
    return subprocess.run([program], input=data, capture_output=True, check=True).stdout


@pytest.mark.parametrize("compiler", HOST_COMPILERS)
@pytest.mark.parametrize("core", CORES)
def test_it_builds_on_the_host_and_gives_the_interpreter_s_bytes(core: str, compiler: str, tmp_path: Path) -> None:
    """The DSP kernels of the cortex-m4 library run here as their plain C twins."""
    folder, model = exported(core, tmp_path), small_net(0)
    flags = ["-std=c99", "-O1", *WARNINGS, "-Iinclude"]
    run(compiler, *flags, *sources(folder), "examples/run.c", "-o", "run", cwd=folder)
    with TflmInterpreter(model) as interpreter:
        for inputs in seeded_inputs(read_tflite(model), 0, 3):
            wanted = b"".join(array.tobytes() for array in interpreter.run(inputs))
            assert outputs(folder / "run", inputs) == wanted


@pytest.mark.parametrize("core", ["cortex-m0", "cortex-m4", "cortex-m55"])
def test_it_compiles_for_arm(core: str, tmp_path: Path) -> None:
    if shutil.which("arm-none-eabi-gcc") is None:
        pytest.skip("arm-none-eabi-gcc is not installed")
    folder = exported(core, tmp_path)
    flags = [*ARM_FLAGS[core], "-std=c99", "-O2", *WARNINGS, "-Iinclude", "-c"]
    run("arm-none-eabi-gcc", *flags, *sources(folder), cwd=folder)


@pytest.mark.parametrize("compiler", [name for name in ("g++", "clang++", "arm-none-eabi-g++") if shutil.which(name)])
@pytest.mark.parametrize("core", CORES)
def test_cpp_takes_all_of_it(compiler: str, core: str, tmp_path: Path) -> None:
    """Sources as well, for build systems that compile everything as C++."""
    folder = exported(core, tmp_path)
    usage = (folder / "README.md").read_text().split("```c\n")[1].split("```")[0]
    (folder / "use.cpp").write_text(usage)
    for source in ("use.cpp", "examples/run.c", *sources(folder)):
        run(compiler, "-x", "c++", "-std=c++17", *WARNINGS, "-Iinclude", "-fsyntax-only", source, cwd=folder)


def test_the_readme_s_example_is_about_ten_lines(tmp_path: Path) -> None:
    usage = (exported("portable", tmp_path) / "README.md").read_text().split("```c\n")[1].split("```")[0]
    assert len([line for line in usage.splitlines() if line.strip()]) <= 10


def test_cmake_builds_it(tmp_path: Path) -> None:
    if shutil.which("cmake") is None:
        pytest.skip("cmake is not installed")
    folder = exported("portable", tmp_path)
    run("cmake", "-B", "build", "-DCMAKE_C_FLAGS=" + " ".join(WARNINGS), cwd=folder)
    run("cmake", "--build", "build", cwd=folder)
    inputs = seeded_inputs(read_tflite(small_net(0)), 0)[0]
    assert len(outputs(folder / "build" / "small_example", inputs)) == 2


def test_two_models_live_in_one_program(tmp_path: Path) -> None:
    """Each is its own static library; kernels that both have are linked once."""
    first, second = exported("portable", tmp_path / "a", 0, "a"), exported("portable", tmp_path / "b", 1, "b")
    for folder in (first, second):
        run(host_compiler(), "-std=c99", "-Iinclude", "-c", *sources(folder), cwd=folder)
        run("ar", "rcs", f"lib{folder.name}.a", *(path.name for path in folder.glob("*.o")), cwd=folder)
    text = '#include "a.h"\n#include "b.h"\nstatic uint8_t m[A_ARENA_BYTES + B_ARENA_BYTES + 16];\n'
    text += "int main(void) { uint8_t *p = m + (16 - (uintptr_t)m % 16) % 16;\n"
    text += "  return a_run(p, A_ARENA_BYTES) + b_run(p, B_ARENA_BYTES) + (b_run(p, 1) != TN_ERR_ARENA); }\n"
    (tmp_path / "main.c").write_text(text)
    run(host_compiler(), "main.c", "-Ia/include", "-Ib/include", "a/liba.a", "b/libb.a", "-o", "both", cwd=tmp_path)
    run("./both", cwd=tmp_path)


def test_only_the_kernels_that_are_used_are_in_it(tmp_path: Path) -> None:
    folder = exported("portable", tmp_path)
    names = {Path(path).name for path in sources(folder)}
    assert "tn_softmax_s8.c" in names
    assert not {"tn_concat_s8.c", "tn_conv1x1_dsp_s8.c", "tn_mean_s8.c"} & names
    listed = json.loads((folder / "library.json").read_text())
    assert listed["name"] == "small"
    assert (folder / "LICENSE").read_bytes().strip().startswith(b"Apache License")


def test_a_helium_library_says_what_it_needs(tmp_path: Path) -> None:
    header = (exported("cortex-m55", tmp_path) / "include" / "small.h").read_text()
    assert "#error" in header and "-mcpu=cortex-m55" in header


@pytest.mark.parametrize(
    ("title", "name"), [("VWW 96.int8", "vww_96_int8"), ("96", "net_96"), ("string", "net_string"), ("", "net_")]
)
def test_names_are_c_identifiers(title: str, name: str) -> None:
    assert library_name(title) == name


def test_an_unknown_core_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ModelError, match="unknown core 'm4'; known: portable, cortex-m0"):
        core_of("m4")
