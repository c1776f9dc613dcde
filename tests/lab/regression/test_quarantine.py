from __future__ import annotations

from pathlib import Path

import pytest

from tinynas.errors import ConfigError
from tinynas.lab.regression.quarantine import Quarantine


def read(folder: Path, text: str) -> Quarantine:
    (folder / "q.yaml").write_text(text)
    return Quarantine.read(folder / "q.yaml")


def test_the_first_entry_that_matches_gives_the_reason(tmp_path: Path) -> None:
    found = read(tmp_path, "- {case: vww@nucleo-*/engine, reason: one}\n- {case: '*', reason: rest}\n")
    assert found.reason("vww@nucleo-f401re/engine") == "one"
    assert found.reason("VWW@nucleo-f401re/engine") == "rest"
    assert read(tmp_path, "# none\n").reason("x") is None


@pytest.mark.parametrize(
    "text", ["- case: x\n", "- {case: x, reason: ''}\n", "x: y\n", "- [\n", "- {case: x, why: y}\n"]
)
def test_an_entry_without_a_reason_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"q\.yaml"):
        read(tmp_path, text)


def test_a_missing_list_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        Quarantine.read(tmp_path / "q.yaml")
