"""docs/search.md and docs/once-for-all.md: commands are accepted as they stand, settings exist."""

from __future__ import annotations

import importlib
import itertools
import re
import shlex

import pytest
from pydantic import BaseModel

from tests.cli.conftest import Tinynas
from tinynas.cli.main import COMMANDS
from tinynas.pipeline.config import Experiment, load_experiment
from tinynas.resources import resource

ROOT = resource("firmware").parent
GUIDES = [(ROOT / "docs" / name).read_text() for name in ("search.md", "once-for-all.md")]
LINES = [
    line
    for guide in GUIDES
    for block in re.findall(r"^```\n(.*?)^```", guide, re.S | re.M)
    for line in block.splitlines()
]
SHOWN = sorted({re.split(r"  +", line)[0] for line in LINES if line.startswith("tinynas ")})
STUDIES = sorted({line.split()[2] for line in LINES if line.startswith("python -m ")})
WRITTEN = {
    f"experiments.{path.stem}" for path in (ROOT / "experiments").glob("*.py") if "def main(" in path.read_text()
}
SETTINGS = sorted(
    {name for row in re.findall(r"^\| (`[a-z_]+\..*?) \|", GUIDES[0], re.M) for name in re.findall(r"`([\w.]+)`", row)}
)


def test_something_is_shown() -> None:
    assert {line.split()[1] for line in SHOWN} == {"run", "space", "latency-table"}
    assert len(SETTINGS) > 15


def test_every_study_is_shown() -> None:
    """Pictures and tables are made of the studies' figures; docs/results.md shows those two."""
    assert {*STUDIES, "experiments.pictures", "experiments.tables"} == WRITTEN


@pytest.mark.parametrize("line", SHOWN)
def test_a_command_that_is_shown_is_accepted(tinynas: Tinynas, line: str) -> None:
    """Its options exist; its experiment, with the settings replaced, is one."""
    command, experiment, *words = shlex.split(line)[1:]
    assert command in {name for name, *_ in COMMANDS}
    text = tinynas(command, "--help").out
    assert all(word in text for word in words if word.startswith("--")), line
    overrides = [value for option, value in itertools.pairwise(words) if option == "--set"]
    boards = [f"board={value}" for option, value in itertools.pairwise(words) if option == "--board"]
    load_experiment(ROOT / experiment, [*overrides, *boards])


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_setting_that_is_named_exists(setting: str) -> None:
    kind: type[BaseModel] = Experiment
    for name in setting.split("."):
        assert name in kind.model_fields, setting
        inner = kind.model_fields[name].annotation
        kind = inner if isinstance(inner, type) and issubclass(inner, BaseModel) else BaseModel


@pytest.mark.parametrize("study", STUDIES)
def test_a_study_that_is_named_exists(study: str) -> None:
    assert callable(importlib.import_module(study).main)
