"""Constants as C text that compiles fast."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Text: TypeAlias = "int | str | tuple[int, ...] | NDArray[np.generic] | Mapping[str, Text]"

_LINE_BYTES = 64  # of data per line of a string literal
_LINE_NUMBERS = 24  # per line of a braced list
# always three octal digits: a shorter escape would swallow a digit that follows it
_ESCAPES = [chr(b) if 32 <= b < 127 and chr(b) not in '"\\?' else f"\\{b:03o}" for b in range(256)]


def array_text(name: str, ctype: str, data: NDArray[np.generic], *, strings: bool = True) -> str:
    """A `static const` array.

    With `strings`, int8 data is a string literal, which GCC reads 50 times faster than numbers; C++ refuses one that
    fills its array. TN_BYTES (tn_model.h) aligns it for kernels that read words of it.
    """
    if ctype == "int8_t" and strings:
        literal = string_literal(data.tobytes())
        return f"static const int8_t {name}[{data.size}] TN_BYTES =\n{literal};"
    aligned = " TN_BYTES" if ctype == "int8_t" else ""
    values = [str(v) for v in data.ravel().tolist()]
    lines = (",".join(values[i : i + _LINE_NUMBERS]) for i in range(0, len(values), _LINE_NUMBERS))
    return f"static const {ctype} {name}[{data.size}]{aligned} = {{" + ",\n".join(lines) + "};"


def string_literal(data: bytes) -> str:
    """`data` as adjacent C string literals, one per line."""
    rows = (data[i : i + _LINE_BYTES] for i in range(0, len(data), _LINE_BYTES))
    return "\n".join('"' + "".join([_ESCAPES[b] for b in row]) + '"' for row in rows)


def struct_text(values: Mapping[str, Text]) -> str:
    """A brace initialiser with designators (C99); strings are C expressions, mappings nested structs."""
    return "{" + ", ".join(f".{name} = {_value(value)}" for name, value in values.items()) + "}"


def _value(value: Text) -> str:
    if isinstance(value, Mapping):
        return struct_text(value)
    if isinstance(value, tuple):
        return "{" + ", ".join(str(v) for v in value) + "}"
    if isinstance(value, np.ndarray):
        raise TypeError("an array belongs into the kernel's layout")
    return str(value)
