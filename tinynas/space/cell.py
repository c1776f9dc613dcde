"""The registry of cell types. A new one is one file in `cells/`: see `cells/inverted_residual.py`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

from tinynas.errors import ConfigError
from tinynas.space.netspec import BlockSpec
from tinynas.space.parts import CELL_INPUT, Chain, Part


@dataclass(frozen=True)
class Cell:
    """One type of block. One that a search may choose ends without an activation, so that stages can be exchanged."""

    name: str  # in TOML files
    short: str  # in labels
    build: Callable[[BlockSpec, Chain], None]  # appends the block's parts to the chain
    rectified: bool = False  # ends with an activation: for networks drawn by hand, no choice of a search


_CELLS: dict[str, Cell] = {}


def register(cell: Cell) -> Cell:
    """Add a cell to the table; names are unique."""
    if cell.name in _CELLS:
        raise ValueError(f"cell {cell.name!r} is registered twice")
    _CELLS[cell.name] = cell
    return cell


@cache
def cells() -> Mapping[str, Cell]:
    """All cells by name: those of every file in `cells/`."""
    from tinynas.space import cells as package

    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    return _CELLS


def cell(name: str) -> Cell:
    """The cell called `name`.

    Raises:
        ConfigError: there is none; lists those there are.
    """
    table = cells()
    if name not in table:
        raise ConfigError(f"no cell {name!r}; known: {', '.join(sorted(table))}")
    return table[name]


@lru_cache(maxsize=4096)
def parts_of(block: BlockSpec) -> tuple[Part, ...]:
    """The parts of a block in execution order; the last one gives its output.

    Raises:
        ConfigError: the cell is unknown, or describes itself wrongly.
    """
    chain = Chain(block.in_channels)
    cell(block.cell).build(block, chain)
    if problem := _problem(block, chain.parts):
        raise ConfigError(f"cell {block.cell!r}: {problem}; mend its file in tinynas/space/cells")
    return tuple(chain.parts)


def _problem(block: BlockSpec, parts: list[Part]) -> str | None:
    if not parts or parts[-1].out_channels != block.out_channels:
        return f"it does not end with {block.out_channels} channels"
    if len({CELL_INPUT, *(part.name for part in parts)}) <= len(parts):
        return "two of its parts have one name"
    if parts[-1].activation != "none" and not cell(block.cell).rectified:
        return f"it ends with an activation, {parts[-1].activation!r}"
    weighed = {part.name for part in parts if part.kind == "mul"}
    if parts[-1].name in weighed or any(weighed & {*part.inputs} for part in parts if not part.has_weights):
        return "attention is not followed by a convolution"
    return None
