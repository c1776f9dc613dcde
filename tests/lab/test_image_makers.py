"""A change to whatever makes images out of models is a change of the hashes that stand for it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import tinynas
from tinynas.lab.board import load_board
from tinynas.lab.farm import measurement_keys
from tinynas.lab.image_makers import planner_hash, sources_hash


@pytest.mark.parametrize("file", ["plan/arena.py", "plan/ops/conv.py", "engine/c_text.py", "graph/fold.py"])
def test_a_changed_line_changes_it(file: str, tmp_path: Path) -> None:
    package = Path(tinynas.__file__).parent
    copies = [Path(shutil.copytree(package / name, tmp_path / name)) for name in ("graph", "plan", "engine")]
    assert sources_hash(copies) == planner_hash()  # names and content count, not the place
    with (tmp_path / file).open("a") as added:
        added.write("\nX = 1\n")
    assert sources_hash(copies) != planner_hash()


def test_a_file_that_moves_changes_it(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x")
    before = sources_hash([tmp_path])
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    assert sources_hash([tmp_path]) != before


def test_a_measurement_of_another_planner_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    board = load_board("host")
    before = measurement_keys(["00ff"], board)
    assert measurement_keys(["00ff"], board) == before
    monkeypatch.setattr("tinynas.lab.image_makers.planner_hash", lambda: "another")
    assert measurement_keys(["00ff"], board) != before
