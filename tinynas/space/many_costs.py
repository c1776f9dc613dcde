"""Costs of thousands of networks: sums over their parts, and one pass over their blocks for the arena."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinynas.graph.lower import lower
from tinynas.graph.stats import macs
from tinynas.lab.board import Core
from tinynas.plan.arena import ALIGNMENT
from tinynas.plan.block_table import grown, solvable
from tinynas.plan.fit import RuntimeSize, fixed_flash_bytes, kernel_sources, model_flash_bytes
from tinynas.plan.planner import plan
from tinynas.plan.solve import solve
from tinynas.space.netspec import NetSpec
from tinynas.space.piece_table import PieceTable
from tinynas.space.protocol import Space
from tinynas.space.space import Archs

Ints = NDArray[np.int64]
_WORD = 62  # sources of a bit mask


@dataclass(frozen=True)
class NetworkCosts:
    """Arrays (n,)."""

    arena_bytes: Ints
    flash_bytes: Ints  # whole image
    macs: Ints
    parameters: Ints


class NetworkTable:
    """What networks for one core take with one runtime; knows their parts from one batch to the next."""

    def __init__(self, core: Core, runtime: RuntimeSize) -> None:
        self._core, self._runtime = core, runtime
        self._pieces = PieceTable(core)
        self._sources = list(runtime.kernel_flash_bytes)
        self._source_bytes = np.array([runtime.kernel_flash_bytes[source] for source in self._sources], np.int64)
        self._const = np.empty((0, 0), np.int64)  # (blocks, options) bytes
        self._masks = [np.empty((0, 0), np.int64) for _ in range(-(-len(self._sources) // _WORD))]  # bits of sources
        self._solvable: list[bool] = []  # of each block
        self._fixed_bytes: int | None = None

    def costs(self, space: Space, archs: Archs) -> NetworkCosts:
        """Costs of (n, genes) archs."""
        parts, blocks = self._pieces.rows(space, archs)
        self._refresh()
        planned = np.asarray(np.array(self._solvable)[blocks].all(axis=1), np.bool_)
        found = self._sums(space, archs, parts, blocks, planned)
        for row in np.flatnonzero(~planned).tolist():
            self._plan_whole(space.netspec(tuple(archs[row].tolist())), found, row)
        return found

    def _sums(self, space: Space, archs: Archs, parts: Ints, blocks: Ints, planned: NDArray[np.bool_]) -> NetworkCosts:
        table, n = self._pieces, len(archs)
        arena, flash = np.zeros(n, np.int64), np.zeros(n, np.int64)
        if planned.any():
            rows = blocks[planned]
            solution = solve(table.blocks, rows)
            at = (rows, solution.options)
            arena[planned] = np.maximum(solution.arena_bytes, ALIGNMENT)
            calls = table.blocks.calls[at].sum(axis=1) * self._runtime.call_flash_bytes
            flash[planned] = self._const[at].sum(axis=1) + calls + self._kernel_bytes(at) + self._fixed(space, archs)
        there = parts >= 0
        return NetworkCosts(
            arena, flash, (table.macs[parts] * there).sum(axis=1), (table.parameters[parts] * there).sum(axis=1)
        )

    def _plan_whole(self, spec: NetSpec, found: NetworkCosts, row: int) -> None:
        """A network with a block whose orders are too many to know."""
        made = plan(lower(spec), self._core)
        found.arena_bytes[row] = made.arena_bytes
        found.flash_bytes[row] = self._runtime.base_flash_bytes + model_flash_bytes(made, self._runtime)
        assert found.macs[row] == macs(made.graph)

    def _kernel_bytes(self, at: tuple[Ints, Ints]) -> Ints:
        """Flash of the kernels that any block uses, each source once."""
        found = np.zeros(len(at[0]), np.int64)
        for k, masks in enumerate(self._masks):
            used, row = np.unique(np.bitwise_or.reduce(masks[at], axis=1), return_inverse=True)
            sizes = self._source_bytes[k * _WORD : (k + 1) * _WORD]
            bits = used[:, None] >> np.arange(len(sizes)) & 1
            found += (bits @ sizes)[row]
        return found

    def _fixed(self, space: Space, archs: Archs) -> int:
        """Flash that all networks of a kind take alike."""
        if self._fixed_bytes is None:
            graph = lower(space.netspec(tuple(archs[0].tolist())))
            self._fixed_bytes = fixed_flash_bytes(graph, self._runtime)
        return self._fixed_bytes

    def _refresh(self) -> None:
        """The rows of new blocks."""
        table = self._pieces.blocks
        for number in range(len(self._solvable), len(table.blocks)):
            block, found = table.blocks[number], table.options[number]
            self._solvable.append(not block.works or all(solvable(block, option) for option in found))
            self._const = grown(self._const, (number + 1, len(found)), 0)
            self._const[number, : len(found)] = [option.const_bytes for option in found]
            for k, masks in enumerate(self._masks):
                self._masks[k] = grown(masks, (number + 1, len(found)), 0)
                self._masks[k][number, : len(found)] = [self._mask(option.kernels, k) for option in found]

    def _mask(self, kernels: frozenset[str], word: int) -> int:
        sources = kernel_sources(kernels, self._runtime)
        first = word * _WORD
        return sum(1 << bit for bit, source in enumerate(self._sources[first : first + _WORD]) if source in sources)
