from __future__ import annotations

from typing import Any

import pytest

from tinynas.errors import ConfigError
from tinynas.pipeline.overrides import with_overrides


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("8", 8),
        ("0.5", 0.5),
        ("true", True),
        ("[1, 2]", [1, 2]),
        ('"8"', "8"),
        ("qemu-mps2-an386", "qemu-mps2-an386"),
        ("/data/my photos", "/data/my photos"),
        ("", ""),
    ],
)
def test_a_value_is_toml_where_it_is_toml_and_else_text(text: str, value: object) -> None:
    assert with_overrides({}, [f"a.b={text}"]) == {"a": {"b": value}}


def test_the_last_of_two_wins_and_the_rest_stays() -> None:
    settings: dict[str, Any] = {"search": {"population": 4, "generations": 2}, "seed": 1}
    changed = with_overrides(settings, ["search.population=8", "search.population=9"])
    assert changed == {"search": {"population": 9, "generations": 2}, "seed": 1}
    assert settings["search"]["population"] == 4


def test_an_equals_sign_may_be_in_the_value() -> None:
    assert with_overrides({}, ["path=a=b"]) == {"path": "a=b"}


@pytest.mark.parametrize("override", ["search.population", "=3", "a..b=3", "seed.x=1"])
def test_what_is_no_setting_is_named(override: str) -> None:
    with pytest.raises(ConfigError, match=rf"--set {override}"):
        with_overrides({"seed": 1}, [override])
