"""The memory map of a planned model as text: a bar per region, and the tensors that make the peak."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tinynas.plan.fit import Fit
from tinynas.plan.flash import FlashParts
from tinynas.plan.plan import Plan

BAR_CELLS = 39
PEAK_TENSORS = 5  # as many as fit beside a bar; a peak rarely has more that matter


@dataclass(frozen=True)
class Part:
    """One use of a memory, in bytes."""

    name: str
    size_bytes: int


@dataclass(frozen=True)
class PeakTensor:
    """A tensor (or a kernel's scratch) that is alive at the step with the most bytes in use."""

    name: str
    shape: tuple[int, ...]
    size_bytes: int
    offset: int  # in the arena


def sram_parts(fit: Fit) -> list[Part]:
    """What SRAM holds. Free is negative by the overflow if the model does not fit."""
    used = [
        Part("arena", fit.arena_bytes),
        Part("stack", fit.stack_bytes),
        Part("statics", fit.statics_bytes),
        Part("runner", fit.runner_sram_bytes),
    ]
    return [*used, Part("free", fit.sram_limit_bytes - fit.sram_bytes)]


def flash_rows(fit: Fit, flash: FlashParts) -> list[Part]:
    """What flash holds, and the rest. Free is negative by the overflow if the model does not fit."""
    used = [
        Part("weights", flash.weights_bytes),
        Part("biases", flash.biases_bytes),
        Part("requantise", flash.requantisation_bytes),
        Part("parameters", flash.parameters_bytes),
        Part("kernels", flash.kernels_bytes),
        Part("calls", flash.calls_bytes),
        Part("runner", flash.runner_bytes),
    ]
    return [*used, Part("free", fit.flash_limit_bytes - fit.flash_bytes)]


def used_bytes(plan: Plan, step: int) -> int:
    """Bytes of the arena from its start to the end of the last buffer in use at `step`."""
    return max((tensor.offset + tensor.size_bytes for tensor in alive_at(plan, step)), default=0)


def peak_step(plan: Plan) -> int:
    """The first step at which the most bytes of tensors and scratch are alive."""
    return max(range(len(plan.steps)), key=lambda step: sum(t.size_bytes for t in alive_at(plan, step)), default=0)


def alive_at(plan: Plan, step: int) -> list[PeakTensor]:
    """Distinct buffers in use at `step`, largest first; views of one buffer count once."""
    found: dict[tuple[int, int], PeakTensor] = {}
    for index, buffer in plan.buffers.items():
        if buffer.first <= step <= buffer.last:
            tensor = plan.graph.tensors[index]
            place = (buffer.offset, buffer.size_bytes)
            found.setdefault(place, PeakTensor(tensor.name, tensor.shape, buffer.size_bytes, buffer.offset))
    if plan.steps and (scratch := plan.steps[step].scratch) is not None:
        name = f"scratch of {plan.steps[step].kernel}"
        found[scratch.offset, -1] = PeakTensor(name, (scratch.size_bytes,), scratch.size_bytes, scratch.offset)
    return sorted(found.values(), key=lambda tensor: -tensor.size_bytes)


def memory_lines(plan: Plan, fit: Fit, flash: FlashParts) -> Iterator[str]:
    """The whole map, line by line, for a terminal of 80 columns."""
    yield f"SRAM   {fit.sram_bytes:,} of {fit.sram_limit_bytes:,} B"
    for part in sram_parts(fit):
        yield _bar(part, fit.sram_limit_bytes)
        if part.name == "arena":
            yield from _streaming_lines(plan)
            yield from _peak_lines(plan)
    yield f"Flash  {fit.flash_bytes:,} of {fit.flash_limit_bytes:,} B"
    for part in flash_rows(fit, flash):
        yield _bar(part, fit.flash_limit_bytes)


def _bar(part: Part, limit_bytes: int) -> str:
    share = part.size_bytes / limit_bytes
    cells = min(BAR_CELLS, max(round(share * BAR_CELLS), 1 if part.size_bytes > 0 else 0))
    fill = ("░" if part.name == "free" else "█") * cells
    return f"  {part.name:<11}{fill:<{BAR_CELLS}} {part.size_bytes:>10,} B {share:>7.1%}"


def _streaming_lines(plan: Plan) -> Iterator[str]:
    """What running chains of convolutions band by band saves."""
    streamed = {op for step in plan.steps if step.band is not None for op in step.ops}
    if streamed:
        yield f"    {len(streamed)} ops in bands of rows; layer by layer: {plan.layered_arena_bytes:,} B"


def _peak_lines(plan: Plan) -> Iterator[str]:
    """The biggest tensors at the peak, indented under the arena's bar."""
    if not plan.steps:
        return
    step = peak_step(plan)
    names = ", ".join(plan.graph.ops[op].kind for op in plan.steps[step].ops)
    alive = alive_at(plan, step)
    overlap = sum(tensor.size_bytes for tensor in alive) > plan.arena_bytes
    yield f"    peak at step {step} ({names}){', output partly over its input' if overlap else ''}:"
    for tensor in alive[:PEAK_TENSORS]:
        shape = "x".join(map(str, tensor.shape[1:]))
        yield f"      {tensor.name[-38:]:<38} {shape:<14}{tensor.size_bytes:>9,} B"
