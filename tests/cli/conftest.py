"""Runs commands in this process, as the `tinynas` script would."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.models import float_model, int8_model, unknown_op_model
from tinynas.cli.main import run


@dataclass(frozen=True)
class Result:
    """What a command printed, and its exit status."""

    status: int
    out: str
    err: str


Tinynas = Callable[..., Result]


@pytest.fixture
def tinynas(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tinynas:
    """A function that runs `tinynas` with the given arguments."""

    def call(*arguments: str | Path) -> Result:
        monkeypatch.setattr(sys, "argv", ["tinynas", *map(str, arguments)])
        status: int | str | None = 0
        try:
            run()
        except SystemExit as stop:
            status = stop.code
        assert isinstance(status, int | None)
        printed = capsys.readouterr()
        return Result(status or 0, printed.out, printed.err)

    return call


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a good model and several bad ones."""
    folder = tmp_path_factory.mktemp("models")
    good = int8_model()
    contents = {
        "good": good,
        "truncated": good[: len(good) // 2],
        "float": float_model(),
        "unknown_op": unknown_op_model(),
        "text": b"not a model at all",
    }
    for name, content in contents.items():
        (folder / f"{name}.tflite").write_bytes(content)
    return folder
