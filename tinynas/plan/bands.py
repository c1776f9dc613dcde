"""A chain of convolutions run band by band: what it takes, and its calls."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Protocol

from tinynas.plan.arena import aligned
from tinynas.plan.calls import Call
from tinynas.plan.convs import BandFacts, Link, band_facts, heights
from tinynas.plan.fusion import KEEP_ROWS, kept
from tinynas.plan.kernels import kernel
from tinynas.plan.plan import Band
from tinynas.plan.rows import RowCall, RowCalls, row_calls

_KEEP_BYTES = -(-kernel(KEEP_ROWS).params_bytes // 4) * 4


class Linked(Protocol):
    """A call, or what planning knows of one."""

    @property
    def link(self) -> Link | None:
        """None if it is no convolution."""


@dataclass(frozen=True)
class ChainFacts:
    """What a chain in bands takes."""

    calls: int
    buffer_bytes: tuple[int, ...]  # of each tensor between its ops: the rows that are kept of it
    early_calls: int  # up to the last one that reads the chain's input
    early_bytes: int  # scratch, the most that one of them takes
    late_bytes: int  # and the most of those after
    lead_bytes: int  # least distance by which the chain's output must start before its input
    const_bytes: int
    keeps: bool  # whether rows are moved, which takes a kernel of its own
    refused: bool  # whether a kernel does not compute some band


@lru_cache(maxsize=1 << 17)
def chain_facts(links: tuple[Link, ...], band_rows: int) -> ChainFacts:
    """Figures of a chain that computes `band_rows` rows of its output at a time."""
    rows = _rows(links, band_rows)
    facts = [None if call.keeps else _facts(links, call) for call in rows.calls]
    params = [-(-kernel(name).params_bytes // 4) * 4 for name, _ in links]
    const_bytes, seen = 0, set[int]()
    for call, found in zip(rows.calls, facts, strict=True):
        if found is None:
            const_bytes += _KEEP_BYTES
        else:  # the bands of an op share its arrays
            const_bytes += params[call.stage] if call.stage in seen else found.const_bytes
            seen.add(call.stage)
    scratch = [0 if found is None else aligned(found.scratch_bytes) for found in facts]
    early = 1 + max(k for k, call in enumerate(rows.calls) if call.stage == 0 and not call.keeps)
    return ChainFacts(
        calls=len(rows.calls),
        buffer_bytes=tuple(
            aligned(most * conv.line_bytes[1]) for most, (_, conv) in zip(rows.most_rows, links, strict=False)
        ),
        early_calls=early,
        early_bytes=max(scratch[:early]),
        late_bytes=max(scratch[early:]),
        lead_bytes=_lead_bytes(rows, links),
        const_bytes=const_bytes,
        keeps=None in facts,
        refused=any(found is not None and found.refused for found in facts),
    )


def in_bands(calls: Sequence[Call], band_rows: int) -> list[Call]:
    """`calls`, each a convolution that computes what the next one reads, band by band."""
    links = links_of(calls)
    rows = _rows(links, band_rows)
    return [_call(calls[call.stage], links, call) for call in rows.calls]


def links_of(convs: Iterable[Linked]) -> tuple[Link, ...]:
    """What `chain_facts` is asked for: each conv's kernel, and what it computes."""
    links = tuple(conv.link for conv in convs)
    return tuple(link for link in links if link is not None)


def _rows(links: Sequence[Link], band_rows: int) -> RowCalls:
    return row_calls(tuple(heights(conv) for _, conv in links), band_rows)


def _band(links: Sequence[Link], call: RowCall) -> Band:
    in_line, out_line = links[call.stage][1].line_bytes
    if call.keeps:
        return Band(call.rows, call.rows, (call.rows[0] - call.from_row) * out_line, 0)
    in_offset, out_offset = (call.read[0] - call.from_row) * in_line, (call.rows[0] - call.to_row) * out_line
    return Band(call.read, call.rows, in_offset, out_offset)


def _facts(links: Sequence[Link], call: RowCall) -> BandFacts:
    return band_facts(*links[call.stage], _band(links, call))


def _call(whole: Call, links: Sequence[Link], call: RowCall) -> Call:
    band = _band(links, call)
    if call.keeps:  # rows of an op's output that are read again move to the start of their buffer
        made = whole.outputs
        return Call(whole.ops, kept(made[0]), kernel(KEEP_ROWS), made, made, 0, (), 4, None, band)
    return replace(whole, scratch_bytes=_facts(links, call).scratch_bytes, leads=(), band=band)


def _lead_bytes(rows: RowCalls, links: Sequence[Link]) -> int:
    """A band of the chain's output is written after the rows it is computed from were read."""
    in_line, out_line = links[0][1].line_bytes[0], links[-1][1].line_bytes[1]
    lead, still_read = 0, links[0][1].x[1] * in_line
    for call in reversed(rows.calls):
        if call.stage == len(links) - 1:
            lead = max(lead, call.rows[1] * out_line - still_read)
        if call.stage == 0 and not call.keeps:
            still_read = min(still_read, call.read[0] * in_line)
    return lead
