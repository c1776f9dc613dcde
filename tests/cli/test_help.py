"""Help is quick, complete, and shows an example that names real options."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

from tests.cli.conftest import Tinynas
from tinynas.cli import boards
from tinynas.cli.main import COMMANDS

NAMES = [name for name, _, _ in COMMANDS]


def test_all_documented_commands_are_there() -> None:
    documented = "doctor boards new run convert fit flash time profile eval report"
    assert set(documented.split()) <= {*NAMES, "boards"}


@pytest.mark.parametrize("name", [*NAMES, "boards"])
def test_every_command_has_help_with_an_example(tinynas: Tinynas, name: str) -> None:
    result = tinynas(name, "--help")
    assert result.status == 0
    assert f"Example: tinynas {name}" in " ".join(result.out.split())


@pytest.mark.parametrize("group", [None, "boards"])
def test_options_of_every_example_exist(tinynas: Tinynas, group: str | None) -> None:
    for name, _, example in COMMANDS if group is None else boards.COMMANDS:
        options = [word for word in example.split() if word.startswith("-")]
        text = tinynas(*([group] if group else []), name, "--help").out
        assert all(option in text for option in options), (name, options)


def child_s() -> float:
    """Processor time of all child processes that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def test_help_answers_in_half_a_second_and_imports_nothing_heavy() -> None:
    """Processor time, the best of three, since other work may share the machine."""
    code = "import sys; from tinynas.cli.main import run\ntry: run()\nexcept SystemExit: print(*sys.modules)"
    spent_s = []
    for _ in range(3):
        before_s = child_s()
        command = [sys.executable, "-c", code, "--help"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        spent_s.append(child_s() - before_s)
    heavy = {"torch", "tensorflow", "numpy", "matplotlib", "sqlalchemy", "pymoo", "ai_edge_litert", "pydantic"}
    assert not heavy & set(done.stdout.split())
    assert min(spent_s) < 0.5


def test_version(tinynas: Tinynas) -> None:
    from tinynas import __version__

    assert tinynas("--version").out.strip() == __version__


def test_reports_need_no_training_packages() -> None:
    code = "import sys, tinynas.report.html, tinynas.report.picture, tinynas.report.tables; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "tensorflow", "matplotlib", "pymoo", "sqlalchemy"} & set(done.stdout.split())
