"""A network cut into blocks: stretches of calls that are planned apart, since only one tensor passes between two.

A chain in bands never spans two blocks. They are cut at narrow tensors: those that are no larger than the one before
and the one after, which a chain would save least on. So equal blocks of different networks have equal plans.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from tinynas.graph.ir import Graph
from tinynas.plan.arena import aligned
from tinynas.plan.calls import Call
from tinynas.plan.convs import Link


@dataclass(frozen=True)
class Work:
    """A call as planning sees it; tensors are numbered within the block, views share their tensor's number."""

    kernel: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    scratch_bytes: int
    leads: tuple[tuple[int, int], ...]  # input that the output may overlap -> bytes
    const_bytes: int
    link: Link | None  # if it is a convolution
    linked: bool = False  # whether the call before is one too, and nothing else reads what that one writes


@dataclass(frozen=True)
class Block:
    """Calls between two tensors. `source` is in use before the first of them, `target` after the last one."""

    works: tuple[Work, ...]
    sizes: tuple[int, ...]  # bytes of each tensor
    source: int | None  # None: several tensors, or none, pass here
    target: int | None
    early: tuple[int, ...] = ()  # in use from the start: a graph's inputs
    late: tuple[int, ...] = ()  # in use to the end: a graph's outputs

    @cached_property
    def _hash(self) -> int:
        return hash((self.works, self.sizes, self.early, self.late))

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """First and last call of each tensor's use; -1 and the number of calls where it is used beyond the block."""
        first, last = [len(self.works)] * len(self.sizes), [-1] * len(self.sizes)
        for k, work in enumerate(self.works):
            for tensor in (*work.inputs, *work.outputs):
                first[tensor], last[tensor] = min(first[tensor], k), k
        for tensor in self.early:
            first[tensor], last[tensor] = -1, max(last[tensor], 0)
        for tensor in self.late:
            last[tensor] = len(self.works)
        return tuple(zip(first, last, strict=True))


@dataclass(frozen=True)
class Cut:
    """A block where it lies in its network."""

    block: Block
    first: int  # call
    storages: tuple[int, ...]  # the network's tensors, by their numbers in the block


class Cutter:
    """Cuts one graph's calls into blocks."""

    def __init__(self, graph: Graph, calls: Sequence[Call], storage: Mapping[int, int]) -> None:
        self._graph, self._calls, self._storage = graph, calls, storage
        self._early = tuple(dict.fromkeys(storage[t] for t in graph.inputs))
        self._late = tuple(dict.fromkeys(storage[t] for t in graph.outputs))
        self._size = {s: aligned(graph.tensors[s].size_bytes) for s in {*storage.values()}}
        self._spans = self._all_spans()
        self._links = [False, *(self._linked(k) for k in range(1, len(calls)))]

    def cuts(self) -> list[Cut]:
        """All calls, in order."""
        through = self._through()
        starts = [0, *(k for k in range(1, len(self._calls)) if len(through[k]) == 1 and self._apart(k))]
        ends = [*starts[1:], len(self._calls)]
        return [self._block(a, b, through[a], through[b]) for a, b in zip(starts, ends, strict=True)]

    def _all_spans(self) -> dict[int, tuple[int, int]]:
        spans = dict.fromkeys(self._early, (-1, 0))  # loaded before the first call
        for k, call in enumerate(self._calls):
            for s in dict.fromkeys(self._storage[t] for t in (*call.inputs, *call.outputs)):
                spans[s] = (spans.get(s, (k, k))[0], k)
        for s in self._late:
            spans[s] = (spans[s][0], len(self._calls))
        return spans

    def _through(self) -> list[list[int]]:
        """Tensors in use between calls k - 1 and k; k = 0: before the first."""
        found: list[list[int]] = [[] for _ in range(len(self._calls) + 1)]
        for s, (first, last) in self._spans.items():
            for k in range(first + 1, last + 1):
                found[k].append(s)
        return found

    def _linked(self, k: int) -> bool:
        """Whether calls k - 1 and k are convolutions, and nothing else reads what lies between them."""
        before, call = self._calls[k - 1], self._calls[k]
        if before.conv is None or call.conv is None or call.inputs != before.outputs:
            return False
        return self._spans[self._storage[call.inputs[0]]] == (k - 1, k)

    def _apart(self, k: int) -> bool:
        """Whether no chain passes from call k - 1 to call k."""
        if not self._links[k]:
            return True
        before, here, after = (
            self._size[self._storage[t]]
            for t in (self._calls[k - 1].inputs[0], self._calls[k].inputs[0], self._calls[k].outputs[0])
        )
        return here <= before and here <= after

    def _block(self, first: int, end: int, into: Sequence[int], out: Sequence[int]) -> Cut:
        names: dict[int, int] = {s: i for i, s in enumerate(into)}
        works = []
        for k in range(first, end):
            call = self._calls[k]
            inputs, outputs = (self._named(tensors, names) for tensors in (call.inputs, call.outputs))
            leads = tuple((names[self._storage[t]], aligned(lead)) for t, lead in call.leads)
            works.append(
                Work(
                    call.kernel.name,
                    inputs,
                    outputs,
                    aligned(call.scratch_bytes),
                    leads,
                    call.const_bytes,
                    call.link,
                    k > first and self._links[k],
                )
            )
        late = tuple(names.setdefault(s, len(names)) for s in out)
        block = Block(
            works=tuple(works),
            sizes=tuple(self._size[s] for s in names),
            source=names[into[0]] if len(into) == 1 else None,
            target=late[0] if len(late) == 1 else None,
            early=tuple(names[s] for s in into),
            late=late,
        )
        return Cut(_known(block), first, tuple(names))

    def _named(self, tensors: Sequence[int], names: dict[int, int]) -> tuple[int, ...]:
        return tuple(names.setdefault(self._storage[t], len(names)) for t in tensors)


@lru_cache(maxsize=1 << 16)
def _known(block: Block) -> Block:
    """An equal block that was met before: the same object, which is found quickly wherever blocks are looked up."""
    return block
