"""Which chains of convolutions run band by band: only those that lower the arena, decided from exact sizes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from tinynas.graph.ir import Graph
from tinynas.graph.ops import Conv2D, DepthwiseConv2D
from tinynas.plan.arena import bounds
from tinynas.plan.bands import Chain, in_bands
from tinynas.plan.calls import Call
from tinynas.plan.fusion import KEEP_ROWS, banded
from tinynas.plan.kernels import refusal
from tinynas.plan.layout import Layout

LONGEST = 4  # ops; with more, the buffers between them take what is saved
MOST_BANDS = 16  # each is a further call with parameters of its own
CALL_PRICE_BYTES = 640  # of arena that a further call must save: it takes 56 B of flash, and a little time


Range = tuple[int, int, int]  # of layered calls: the first, the end, and output rows per band


@dataclass(frozen=True)
class Schedule:
    """Calls in execution order, some as chains."""

    calls: tuple[Call, ...]
    sizes: Mapping[int, int]
    layout: Layout
    chains: tuple[Range, ...] = ()
    starts: tuple[int, ...] = ()  # layered call -> its first step

    @cached_property
    def needs_bytes(self) -> list[int]:
        """Least memory at each step."""
        return bounds(self.layout.items, self.layout.leads)

    @property
    def bound_bytes(self) -> int:
        return max(self.needs_bytes, default=0)

    def most_bytes(self, chain: Range) -> int:
        """Least memory over the steps of a range of layered calls."""
        first, end, _ = chain
        last = self.starts[end] if end < len(self.starts) else len(self.calls)
        return max(self.needs_bytes[self.starts[first] : last])


class Streamer:
    """Searches for chains in one graph. Costs little: sizes only, no placing."""

    def __init__(self, graph: Graph, calls: Sequence[Call], storage: Mapping[int, int]) -> None:
        self._graph, self._calls, self._storage = graph, calls, storage
        self._links = [self._feeds_only(k) for k in range(len(calls) - 1)]
        self._made: dict[Range, Chain] = {}

    def layered(self) -> Schedule:
        """Every op whole."""
        return self.schedule(())

    def best(self) -> Schedule:
        """Chains at the step that needs most, as long as one is worth its calls; then as few calls as will do."""
        path = [self.layered()]
        for _ in range(len(self._calls)):
            gain, found = max(self._changes(path[-1]), key=lambda change: change[0], default=(0, path[-1]))
            if gain <= 0:
                break
            path.append(found)
        return min(self._relaxed(min(path, key=_price)), self._relaxed(path[-1]), key=_price)

    def _changes(self, schedule: Schedule) -> Iterator[tuple[int, Schedule]]:
        """The schedule with one chain more, or a longer one, over the step that needs most, and what that gains there.

        Equal needs elsewhere do not count: they have their turn.
        """
        step = schedule.needs_bytes.index(schedule.bound_bytes)
        peak = max((k for k, start in enumerate(schedule.starts) if start <= step), default=0)
        for chain in self._chains_over(peak):
            first, end, _ = chain
            kept = [c for c in schedule.chains if c[1] <= first or c[0] >= end]
            if all(first <= c[0] and c[1] <= end for c in schedule.chains if c not in kept):
                found = self.schedule(tuple(sorted([*kept, chain])))
                if found.bound_bytes <= schedule.bound_bytes:
                    saved = schedule.most_bytes(chain) - found.most_bytes(chain)
                    yield saved - CALL_PRICE_BYTES * (len(found.calls) - len(schedule.calls)), found

    def _chains_over(self, call: int) -> Iterator[Range]:
        for first in range(max(call - LONGEST + 1, 0), call + 1):
            for end in range(max(call + 1, first + 2), min(first + LONGEST, len(self._calls)) + 1):
                if all(self._links[first : end - 1]):
                    yield from ((first, end, rows) for rows in self._band_rows(end - 1))

    def _relaxed(self, schedule: Schedule) -> Schedule:
        """Chains that another step's need makes idle run whole, or in fewer bands."""
        best = schedule
        for chain in schedule.chains:
            others = [c for c in best.chains if c != chain]
            wider = [(*chain[:2], rows) for rows in self._band_rows(chain[1] - 1) if rows > chain[2]]
            options = [self.schedule(tuple(sorted([*others, *one]))) for one in ([], *([c] for c in wider))]
            fitting = [option for option in options if option.bound_bytes <= schedule.bound_bytes]
            best = min([*fitting, best], key=lambda option: len(option.calls))
        return best

    def _band_rows(self, last: int) -> list[int]:
        """Rows per band that are tried: powers of two that make at least two bands and not too many."""
        height = self._graph.tensors[self._calls[last].outputs[0]].shape[1]
        return [rows for rows in (1, 2, 4, 8, 16) if rows < height <= rows * MOST_BANDS]

    def _feeds_only(self, k: int) -> bool:
        """Whether calls k and k + 1 are convolutions, and nothing else reads what lies between them."""
        first, second = self._calls[k], self._calls[k + 1]
        tensor = first.outputs[0]
        if not all(isinstance(call.op.attrs, Conv2D | DepthwiseConv2D) for call in (first, second)):
            return False
        if second.inputs != (tensor,) or self._storage[tensor] in {self._storage[i] for i in self._graph.outputs}:
            return False
        return [call.inputs.count(tensor) for call in self._calls].count(0) == len(self._calls) - 1

    def schedule(self, chains: tuple[Range, ...]) -> Schedule:
        """The calls with these ranges of them, in order, run in bands."""
        calls: list[Call] = []
        sizes: dict[int, int] = {}
        starts: list[int] = []
        at = 0
        for first, end, rows in (*chains, (len(self._calls), len(self._calls), 0)):
            starts += range(len(calls), len(calls) + first - at)
            calls += self._calls[at:first]
            if rows:
                chain = self._chain(first, end, rows)
                starts += [len(calls)] * (end - first)
                calls += chain.calls
                sizes |= chain.sizes
            at = end
        layout = Layout.of(self._graph, calls, self._storage, sizes)
        return Schedule(tuple(calls), sizes, layout, chains, tuple(starts))

    def _chain(self, first: int, end: int, rows: int) -> Chain:
        key = (first, end, rows)
        if key not in self._made:
            self._made[key] = in_bands(self._graph, self._calls[first:end], rows)
        return self._made[key]


def _price(schedule: Schedule) -> int:
    """Memory, and what the calls are worth."""
    return schedule.bound_bytes + CALL_PRICE_BYTES * len(schedule.calls)


def refused(graph: Graph, schedule: Schedule) -> bool:
    """Whether a kernel does not compute some band that is asked of it."""
    chained = [call for call in schedule.calls if call.band is not None and call.kernel.name != KEEP_ROWS]
    asked = ((*banded(graph, call.op, call.band), call.kernel) for call in chained)
    return any(refusal(part, op, kernel) is not None for part, op, kernel in asked)
