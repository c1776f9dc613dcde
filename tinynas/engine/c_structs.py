"""Structs as the engine's headers declare them: C++ wants designators in the order of declaration."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from tinynas.engine.c_text import Text
from tinynas.resources import resource

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_STRUCT = re.compile(r"typedef struct \{([^{}]*)\}\s*(\w+);")
_FIELD = re.compile(r"(?:const\s+)?(\w+)\s+([^;()]+);")  # not function pointers
_NAME = re.compile(r"\*?\s*(?:const\s+)?(\w+)\s*(?:\[[^\]]*\])*$")

Fields = Mapping[str, str]  # name -> type, in the order of declaration


def in_declared_order(struct: str, values: Mapping[str, Text]) -> dict[str, Text]:
    """`values` sorted as the fields of `struct`, those of nested structs as well; KeyError for a field it has not."""
    fields = _structs()[struct]
    unknown = values.keys() - fields.keys()
    if unknown:
        raise KeyError(f"{struct} has no field {sorted(unknown)}; it has {list(fields)}")
    return {name: _nested(kind, values[name]) for name, kind in fields.items() if name in values}


def _nested(kind: str, value: Text) -> Text:
    return in_declared_order(kind, value) if isinstance(value, Mapping) else value


@cache
def _structs() -> Mapping[str, Fields]:
    headers = sorted((resource("firmware") / "engine" / "include").glob("*.h"))
    return {name: fields for header in headers for name, fields in parse_structs(header.read_text()).items()}


def parse_structs(header: str) -> dict[str, Fields]:
    """Structs of a header's text; fields are plain, pointers or arrays."""
    found = _STRUCT.findall(_COMMENT.sub("", header))
    return {name: _fields(body) for body, name in found}


def _fields(body: str) -> Fields:
    return {name: kind for kind, names in _FIELD.findall(body) for name in map(_name, names.split(","))}


def _name(declarator: str) -> str:
    named = _NAME.search(declarator.strip())
    assert named is not None, declarator
    return named.group(1)
