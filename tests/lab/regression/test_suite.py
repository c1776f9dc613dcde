from __future__ import annotations

from pathlib import Path

import pytest

from tinynas.errors import ConfigError
from tinynas.lab.regression.suite import Suite, suite_cases, suite_models

MODELS = '[[models]]\npath = "m/*.tflite"\n'


def suite(folder: Path, text: str) -> Suite:
    (folder / "s.toml").write_text(text)
    return Suite.load(folder / "s.toml")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "m").mkdir()
    for name in ("b", "a"):
        (tmp_path / "m" / f"{name}.tflite").touch()
    return tmp_path


def test_cases_are_models_times_boards_times_runtimes(folder: Path) -> None:
    found = suite(folder, f'name = "s"\nboards = ["host"]\nruntimes = ["engine", "tflm"]\n{MODELS}')
    cases = [case.id for case in suite_cases(found, suite_models(found), ["x", "y"])]
    assert cases == ["a@host/engine", "a@host/tflm", "b@host/engine", "b@host/tflm"]


def test_without_boards_all_kinds_of_the_map_count(folder: Path) -> None:
    found = suite(folder, f'name = "s"\n{MODELS}')
    assert [case.id for case in suite_cases(found, suite_models(found), ["x", "y"])] == [
        "a@x/engine", "a@y/engine", "b@x/engine", "b@y/engine",
    ]  # fmt: skip


def test_paths_are_seen_from_the_suite(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    (folder / "photos").mkdir()
    text = 'name = "s"\nboards = ["mine.toml"]\nquarantine = "q.yaml"\n'
    found = suite(folder, f'{text}[[models]]\npath = "m/a.tflite"\nname = "vww"\ndata = "photos"\n')
    (model,) = suite_models(found)
    assert (model.name, model.path, model.spec.data) == ("vww", folder / "m" / "a.tflite", str(folder / "photos"))
    assert (found.baseline, found.quarantine) == (folder / "baseline.json", folder / "q.yaml")
    (case,) = suite_cases(found, [model], [])
    assert (case.board, case.id) == (str(folder / "mine.toml"), "vww@mine/engine")


def test_a_data_set_keeps_its_name(folder: Path) -> None:
    found = suite(folder, 'name = "s"\n[[models]]\npath = "m/a.tflite"\ndata = "facewake"\n')
    assert found.models[0].data == "facewake"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('name = "s"\n', "models: Field required"),
        ('name = "a b"\n' + MODELS, "name: String should match"),
        ('name = "s"\nboard = "x"\n' + MODELS, "board: Extra inputs"),
        ('name = "s"\nruntimes = ["fast"]\n' + MODELS, "runtimes"),
        ('name = "s"\ntolerance = {latency = -1}\n' + MODELS, r"tolerance\.latency"),
        ('name = "s"\nboards = ["nuckleo"]\n' + MODELS, r"s\.toml: boards: unknown board 'nuckleo'"),
        ('name = "s"\n' + MODELS + 'boards = ["nuckleo"]\n', "unknown board 'nuckleo'"),
        ("name = \n", "Invalid value"),
    ],
)
def test_a_wrong_suite_is_refused_with_the_key(folder: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        suite(folder, text)


@pytest.mark.parametrize(
    ("models", "words"),
    [
        ('[[models]]\npath = "none/*.tflite"\n', "no model there"),
        ('[[models]]\npath = "m/*.tflite"\nname = "x"\n', "2 files are there"),
        (MODELS + '[[models]]\npath = "m/b.tflite"\nname = "a"\n', "two models are called 'a'"),
    ],
)
def test_models_that_cannot_be_told_are_refused(folder: Path, models: str, words: str) -> None:
    found = suite(folder, f'name = "s"\n{models}')
    with pytest.raises(ConfigError, match=words):
        suite_models(found)


def test_a_missing_suite_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"s\.toml: No such file"):
        Suite.load(tmp_path / "s.toml")
