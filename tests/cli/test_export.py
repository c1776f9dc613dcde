"""`tinynas export` writes a library, and mixes it with nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Tinynas
from tests.cli.models import int8_model


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "Small Net.tflite"
    path.write_bytes(int8_model())
    return path


def test_a_folder_with_header_sources_and_build_files(tinynas: Tinynas, model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "lib"
    result = tinynas("export", str(model), "--to", "c", "-o", str(folder), "--core", "cortex-m4")
    assert result.status == 0, result.err
    assert "library small_net for cortex-m4" in result.out
    assert {path.name for path in folder.iterdir()} == {
        "CMakeLists.txt", "LICENSE", "README.md", "examples", "include", "library.json", "src",
    }  # fmt: skip
    assert (folder / "include" / "small_net.h").is_file()


def test_another_library_s_sources_are_not_left_among_it(tinynas: Tinynas, model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "lib"
    assert tinynas("export", str(model), "-o", str(folder), "--core", "cortex-m4").status == 0
    result = tinynas("export", str(model), "-o", str(folder))
    assert result.status == 2
    assert "is not part of this library; remove" in result.err
    assert tinynas("export", str(model), "-o", str(folder), "--core", "cortex-m4").status == 0


def test_an_unknown_core_is_one_line(tinynas: Tinynas, model: Path, tmp_path: Path) -> None:
    result = tinynas("export", str(model), "-o", str(tmp_path / "lib"), "--core", "z80")
    assert result.status == 2
    assert "unknown core 'z80'; known: portable" in result.err
