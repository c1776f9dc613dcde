"""Settings as TOML, for experiment.toml of a run (the standard library only reads TOML)."""

from __future__ import annotations

import json
from typing import Any


def toml_text(settings: dict[str, Any]) -> str:
    """Nested tables of JSON values; None, which TOML does not have, is left out."""
    return "\n".join(_table(settings, ())) + "\n"


def _table(table: dict[str, Any], path: tuple[str, ...]) -> list[str]:
    """The lines of one table: its values, then its subtables under their headings."""
    lines = [f"{name} = {_value(value)}" for name, value in table.items() if not isinstance(value, dict | None)]
    for name, value in table.items():
        if isinstance(value, dict):
            lines += ["", f"[{'.'.join((*path, name))}]", *_table(value, (*path, name))]
    return lines


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_value(item)}" for key, item in value.items() if item is not None) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    return json.dumps(value)  # strings, numbers and booleans are written alike
