"""A network as a C library of its own: the generated model, the kernels it uses and what builds them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template

import tinynas
from tinynas.engine.generate import generate
from tinynas.errors import ModelError
from tinynas.graph.ir import Graph, Tensor
from tinynas.lab.board import Core
from tinynas.plan.fixed_point import scale_of, zero_point_of
from tinynas.plan.kernels import Isa, kernel
from tinynas.plan.plan import Plan
from tinynas.plan.planner import plan as make_plan
from tinynas.resources import license_file, resource

PORTABLE = "portable"  # as a name of a core: C99 for all of them
TEMPLATES = Path(__file__).parent / "library"
_INCLUDE = re.compile(r'^#include "([^"]+)"', re.MULTILINE)
_C_HEADERS = frozenset(
    {"assert", "complex", "ctype", "errno", "fenv", "float", "inttypes", "iso646", "limits", "locale"}
)
_C_HEADERS |= {"math", "setjmp", "signal", "stdarg", "stdbool", "stddef", "stdint", "stdio", "stdlib", "string", "time"}


@dataclass(frozen=True)
class Library:
    """Files of a library: path inside its folder -> content."""

    name: str
    files: Mapping[str, bytes]
    arena_bytes: int
    const_bytes: int


def core_of(name: str) -> Core:
    """The core to plan for: `portable`, or a name such as cortex-m4.

    Raises:
        ModelError: unknown name (the known ones are listed).
    """
    known = [PORTABLE, *(core.value for core in Core if core is not Core.HOST)]
    if name not in known:
        raise ModelError(f"unknown core {name!r}; known: {', '.join(known)}")
    return Core.HOST if name == PORTABLE else Core(name)


def library_name(title: str) -> str:
    """A C identifier in lower case made from a file's name: "VWW 96.int8" -> "vww_96_int8"."""
    word = re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")
    unfit = not word or word[0].isdigit() or word in _C_HEADERS  # its header is `word`.h
    return f"net_{word}" if unfit else word


def c_library(graph: Graph, core: Core, title: str, *, sha256: str = "", name: str | None = None) -> Library:
    """The library of `graph`, planned for `core`, called `name` (default: from `title`, the model's name).

    Raises:
        ModelError: not a network that the engine runs, or `name` is no C identifier.
    """
    plan = make_plan(graph, core)
    called = library_name(title) if name is None else name
    generated = generate(graph, plan, called, sha256=sha256, strings=False)
    sources = {f"src/{file}": content for file, content in generated.files.items()}
    sources |= _engine_files(generated.kernels, generated.files)
    files = sources | _texts(plan, core, called, title, sha256, [path for path in sources if path.endswith(".c")])
    return Library(called, files | {"LICENSE": license_file().read_bytes()}, plan.arena_bytes, plan.const_bytes)


def _engine_files(kernels: Iterable[str], generated: Mapping[str, bytes]) -> dict[str, bytes]:
    """Kernels and the headers that they and the model reach; those for users go into include/."""
    engine = resource("firmware") / "engine"
    sources = {name: (engine / "src" / name).read_bytes() for name in kernels}
    headers: dict[str, bytes] = {}
    unread = [*sources.values(), *generated.values()]
    while unread:
        names = _INCLUDE.findall(unread.pop().decode())
        for name in (name for name in names if name not in headers and (engine / "include" / name).is_file()):
            headers[name] = (engine / "include" / name).read_bytes()
            unread.append(headers[name])
    public = {f"include/{name}" if name == "tn_model.h" else f"src/{name}": text for name, text in headers.items()}
    return {f"src/{name}": text for name, text in sources.items()} | public


def _texts(plan: Plan, core: Core, name: str, title: str, sha256: str, sources: list[str]) -> dict[str, bytes]:
    values: dict[str, object] = {
        "name": name,
        "NAME": name.upper(),
        "title": re.sub(r'["\\|*`\n]', "_", title),
        "version": tinynas.__version__,
        "core": _core_text(core),
        "portability": "" if _needs_mve(plan) else "; it gives the same bytes on any other",
        "sha256": sha256 or "unknown",
        "ops": len(plan.graph.ops),
        "macs": f"{plan.macs:,}",
        "arena_bytes": plan.arena_bytes,
        "const_bytes": f"{plan.const_bytes:,}",
        "sources": "\n  ".join(sorted(sources)),
        "guard": _mve_guard(core) if _needs_mve(plan) else "",
    }
    ends = list(_ends(plan))
    header = values | {
        "ends": "\n".join(_end_macros(name, *end) for end in ends),
        "accessors": "\n".join(_accessor(name, *end) for end in ends),
    }
    readme = values | {
        "usage": _fill("usage.c", values).decode().strip(),
        "ends": "\n".join(_end_row(*end) for end in ends),
    }
    return {
        f"include/{name}.h": _fill("header.h", header),
        "examples/run.c": _fill("example.c", values),
        "CMakeLists.txt": _fill("CMakeLists.txt", values),
        "library.json": _fill("library.json", values),
        "README.md": _fill("README.md", readme),
    }


def _fill(template: str, values: Mapping[str, object]) -> bytes:
    return Template((TEMPLATES / template).read_text()).substitute(values).encode()


def _core_text(core: Core) -> str:
    return "any core" if core is Core.HOST else core.value


def _needs_mve(plan: Plan) -> bool:
    """The Helium kernels have no plain C twin; the DSP ones have."""
    return any(kernel(name).isa is Isa.MVE for name in plan.kernels)


def _mve_guard(core: Core) -> str:
    return f"""
#if !(defined(__ARM_FEATURE_MVE) && (__ARM_FEATURE_MVE & 1))
#error "this library needs Helium: compile with -mcpu={core.value}, or export it with --core {PORTABLE}"
#endif
"""


_End = tuple[str, int, Tensor, int]  # "input" or "output", its number, its tensor, its offset in the arena


def _ends(plan: Plan) -> Iterator[_End]:
    for kind, tensors in (("input", plan.graph.inputs), ("output", plan.graph.outputs)):
        for k, index in enumerate(tensors):
            yield kind, k, plan.graph.tensors[index], plan.buffers[index].offset


def _end_macros(name: str, kind: str, k: int, tensor: Tensor, offset: int) -> str:
    start = f"#define {name}_{kind}_{k}_".upper().replace("#DEFINE", "#define")
    shape = ", ".join(map(str, tensor.shape))
    return "\n".join(
        [
            f"{start}SHAPE {{{shape}}} /* rank {len(tensor.shape)} */",
            f"{start}BYTES {tensor.size_bytes}u",
            f"{start}OFFSET {offset}u /* in the arena */",
            f"{start}SCALE {_float(scale_of(tensor))}",
            f"{start}ZERO_POINT ({zero_point_of(tensor)})",
            "",
        ]
    )


def _float(value: float) -> str:
    text = f"{value:.9g}"
    return text + ("f" if "." in text or "e" in text else ".0f")


def _accessor(name: str, kind: str, k: int, tensor: Tensor, offset: int) -> str:
    const = "const " if kind == "output" else ""
    return (
        f"static inline {const}int8_t *{name}_{kind}_{k}(uint8_t *arena) {{\n"
        f"  return (int8_t *)(arena + {name.upper()}_{kind.upper()}_{k}_OFFSET);\n}}\n"
    )


def _end_row(kind: str, k: int, tensor: Tensor, offset: int) -> str:
    shape = "x".join(map(str, tensor.shape))
    return f"| {kind} {k} | int8 {shape}, real = {scale_of(tensor):.6g} * (q - ({zero_point_of(tensor)})) |"
