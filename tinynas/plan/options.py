"""What a block may take: calls whole, or chains of them in bands, as the few choices that trade calls for memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from tinynas.plan.arena import aligned, overlap_bytes
from tinynas.plan.bands import ChainFacts, chain_facts, links_of
from tinynas.plan.blocks import Block, Work
from tinynas.plan.fusion import KEEP_ROWS

LONGEST = 4  # convolutions in a chain; with more, the buffers between them take what is saved
MOST_BANDS = 16  # each is a further call with parameters of its own
CALL_PRICE_BYTES = 420  # of arena that a further call must save: it takes 56 B of flash, and a little time


@dataclass(frozen=True)
class Own:
    """Memory of an action's own. A chain has two parts: while its input is read, and after."""

    size_bytes: int
    first: int = 0  # part
    last: int = 1


@dataclass(frozen=True)
class Action:
    """A call of a block, or a chain of calls in bands: tensors in use before and after it, and memory of its own."""

    first: int  # of the block's calls
    end: int
    band_rows: int  # 0: one call, whole
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    own: tuple[Own, ...]  # scratch; of a chain first of all the rows that are kept between its calls
    frees_early: bool  # whether an input that dies here is free in the second part
    leads: tuple[tuple[int, int], ...]  # input that dies here, and how far before it the output must start
    need_bytes: int  # no placement has less in use at a time here
    calls: int
    const_bytes: int
    kernels: tuple[str, ...]


@dataclass(frozen=True)
class Option:
    """One way to run a block."""

    actions: tuple[Action, ...]
    need_bytes: int  # the most of its actions
    calls: int
    const_bytes: int

    @cached_property
    def _hash(self) -> int:
        return hash((self.actions, self.need_bytes))

    def __hash__(self) -> int:
        return self._hash

    @property
    def kernels(self) -> frozenset[str]:
        """Names of those it uses."""
        return frozenset(name for action in self.actions for name in action.kernels)


@lru_cache(maxsize=1 << 16)
def options(block: Block) -> tuple[Option, ...]:
    """The options worth having, fewest calls first: each needs less than those before, by more than its calls cost.

    For whatever else the network's arena is needed, one of these is best.
    """
    if not block.works:
        return (layered(block),)
    able, found = list(actions(block)), list[Option]()
    limit = 1 << 60
    while (option := _fewest_calls(block, able, limit)) is not None:
        if all(_price(option) < _price(other) for other in found):
            found.append(option)
        limit = option.need_bytes - 1
    return tuple(found)


@lru_cache(maxsize=1 << 16)
def layered(block: Block) -> Option:
    """Every call whole."""
    return option_of(tuple(_whole(block, k) for k in range(len(block.works))))


def _price(option: Option) -> int:
    return option.need_bytes + CALL_PRICE_BYTES * option.calls


def option_of(chosen: tuple[Action, ...]) -> Option:
    """The option that does these actions, which follow each other."""
    need = max((action.need_bytes for action in chosen), default=0)
    calls, const = sum(action.calls for action in chosen), sum(action.const_bytes for action in chosen)
    return Option(chosen, need, calls, const)


def _fewest_calls(block: Block, able: Sequence[Action], limit_bytes: int) -> Option | None:
    """The actions with fewest calls, then least flash, of which none needs more than the limit."""
    best: list[tuple[int, int, tuple[Action, ...]] | None] = [(0, 0, ()), *[None] * len(block.works)]
    for action in able:  # in the order of their first calls
        before = best[action.first]
        if action.need_bytes > limit_bytes or before is None:
            continue
        calls, const = before[0] + action.calls, before[1] + action.const_bytes
        known = best[action.end]
        if known is None or (calls, const) < known[:2]:
            best[action.end] = (calls, const, (*before[2], action))
    last = best[-1]
    return None if last is None else option_of(last[2])


def actions(block: Block) -> Iterator[Action]:
    """All that may be done, in the order of their first calls."""
    for first in range(len(block.works)):
        yield _whole(block, first)
        for end in range(first + 2, min(first + LONGEST, len(block.works)) + 1):
            if not block.works[end - 1].linked:
                break
            yield from _chains(block, first, end)


def _whole(block: Block, k: int) -> Action:
    work = block.works[k]
    leads = tuple((t, lead) for t, lead in work.leads if block.spans[t][1] <= k and t != work.outputs[0])
    return Action(
        first=k,
        end=k + 1,
        band_rows=0,
        inputs=work.inputs,
        outputs=work.outputs,
        own=(Own(work.scratch_bytes),) if work.scratch_bytes else (),
        frees_early=False,
        leads=leads,
        need_bytes=_used_bytes(block, (k, k + 1)) + work.scratch_bytes - _saved_bytes(block, work.outputs[0], leads),
        calls=1,
        const_bytes=work.const_bytes,
        kernels=(work.kernel,),
    )


def _chains(block: Block, first: int, end: int) -> Iterator[Action]:
    works = block.works[first:end]
    height = _height(works[-1])
    for rows in (1, 2, 4, 8, 16):
        if rows < height <= rows * MOST_BANDS:
            facts = chain_facts(links_of(works), rows)
            if not facts.refused:
                yield _chain(block, first, rows, facts, works)


def _chain(block: Block, first: int, rows: int, facts: ChainFacts, works: Sequence[Work]) -> Action:
    end, source, outputs = first + len(works), works[0].inputs[0], works[-1].outputs
    dies = block.spans[source][1] < end
    leads = ((source, aligned(facts.lead_bytes)),) if dies else ()
    kept, early, late = sum(facts.buffer_bytes), facts.early_bytes, facts.late_bytes
    split = dies and late > early
    own = (Own(kept), Own(early, 0, 0), Own(late, 1, 1)) if split else (Own(kept + max(early, late)),)
    used = _used_bytes(block, (first, end)) + kept
    need = used + (early if split else max(early, late)) - _saved_bytes(block, outputs[0], leads)
    return Action(
        first=first,
        end=end,
        band_rows=rows,
        inputs=works[0].inputs,
        outputs=outputs,
        own=own,
        frees_early=split,
        leads=leads,
        need_bytes=max(need, used - block.sizes[source] + late) if split else need,
        calls=facts.calls,
        const_bytes=facts.const_bytes,
        kernels=(*(work.kernel for work in works), *([KEEP_ROWS] if facts.keeps else [])),
    )


def _height(work: Work) -> int:
    assert work.link is not None
    return work.link[1].y[1]


def _used_bytes(block: Block, calls: tuple[int, int]) -> int:
    """Sum of the tensors in use; those between a chain's calls are in its own memory."""
    first, end = calls
    inside = {t for work in block.works[first : end - 1] for t in work.outputs}
    spans = zip(block.sizes, block.spans, strict=True)
    return sum(size for t, (size, span) in enumerate(spans) if span[0] < end and span[1] >= first and t not in inside)


def _saved_bytes(block: Block, output: int, leads: Sequence[tuple[int, int]]) -> int:
    """What the output saves by lying over inputs, at most."""
    saved = sum(overlap_bytes(block.sizes[t], block.sizes[output], lead) for t, lead in leads)
    return min(block.sizes[output], saved)
