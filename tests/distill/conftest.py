"""One finished library for all tests here."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.distill.small import CONFIG, data, reference, space
from tinynas.distill.build import build_library
from tinynas.distill.library import Library


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("library")


@pytest.fixture(scope="session")
def library(folder: Path) -> Library:
    return build_library(reference(), space(), data(), CONFIG, 0, folder, workers=1)
