"""docs/serial.md: every command there exists, with the options that it shows."""

from __future__ import annotations

import re
import shlex

import pytest

from tests.cli.conftest import Tinynas
from tinynas.cli.boards import COMMANDS as BOARDS
from tinynas.cli.main import COMMANDS
from tinynas.resources import resource

GUIDE = (resource("firmware").parent / "docs" / "serial.md").read_text()
SHOWN = sorted(set(re.findall(r"^(?:.*\| )?(tinynas [^\n|]*?)(?:  +#.*)?$", GUIDE, re.MULTILINE)))


def test_the_guide_shows_every_command_of_its_subject() -> None:
    assert {line.split()[1] for line in SHOWN} == {
        "boards", "flash", "monitor", "time", "mlperf", "run", "eval"
    }  # fmt: skip


@pytest.mark.parametrize("line", SHOWN)
def test_a_command_that_is_shown_has_its_options(tinynas: Tinynas, line: str) -> None:
    words = shlex.split(line, comments=True)[1:]
    named = {name for name, *_ in (BOARDS if words[0] == "boards" else COMMANDS)}
    command = words[:2] if words[0] == "boards" else words[:1]
    assert command[-1] in named
    text = tinynas(*command, "--help").out
    assert all(word in text for word in words if word.startswith("--")), line
