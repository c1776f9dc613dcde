"""`--set a.b=c`: settings of an experiment replaced on the command line."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from typing import Any

from tinynas.errors import ConfigError


def with_overrides(settings: dict[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
    """A copy of nested `settings` with each `a.b=c` put in; c is TOML (`8`, `true`, `[1, 2]`), else a plain string.

    Raises:
        ConfigError: no `=`, an empty key, or a key below something that is no table.
    """
    result: dict[str, Any] = _copy(settings)
    for override in overrides:
        path, value = _parse(override)
        _put(result, path, value, override)
    return result


def _parse(override: str) -> tuple[list[str], Any]:
    key, equals, text = override.partition("=")
    path = [part.strip() for part in key.split(".")]
    if not equals or not all(path):
        raise ConfigError(f"--set {override}: wanted table.key=value, such as search.generations=4")
    return path, _value(text.strip())


def _value(text: str) -> Any:
    """TOML where it is TOML. Board names and paths need no quotes."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _put(settings: dict[str, Any], path: list[str], value: Any, override: str) -> None:
    table = settings
    for part in path[:-1]:
        table = table.setdefault(part, {})
        if not isinstance(table, dict):
            raise ConfigError(f"--set {override}: {part!r} is a value, not a table")
    table[path[-1]] = value


def _copy(value: Any) -> Any:
    return {key: _copy(item) for key, item in value.items()} if isinstance(value, dict) else value
