"""What a reference and a space must have in common for a library."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.distill.small import CONFIG, data, reference, space
from tinynas.distill.build import build_library
from tinynas.errors import ConfigError
from tinynas.nets.network import build_network


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"out_channels": (8, 16)},
            r"space.stages\[0\].out_channels: a block library needs one number, found \[8, 16\]",
        ),
        ({"channels": (1, 3)}, r"space.channels: a block library needs one number, found \[1, 3\]"),
    ],
)
def test_open_ends_are_refused(changes: dict[str, object], message: str, tmp_path: Path) -> None:
    stages = [space().stages[0].model_dump() | {k: v for k, v in changes.items() if k != "channels"}, space().stages[1]]
    wide = space().with_changes(stages=stages, channels=changes.get("channels", 1))
    with pytest.raises(ConfigError, match=message):
        build_library(reference(), wide, data(), CONFIG, 0, tmp_path, workers=1)


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="one width"):
        wide = space().with_changes(widths=(0.5, 1.0))
        build_library(reference(), wide, data(), CONFIG, 0, tmp_path, workers=1)
    other = build_network(space().with_changes(head_channels=32).netspec(space().largest()), seed=0)
    with pytest.raises(ConfigError, match="head channels 32, the space wants 24"):
        build_library(other, space(), data(), CONFIG, 0, tmp_path, workers=1)
