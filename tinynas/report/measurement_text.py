"""One measurement in a few aligned lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tinynas.lab.measure import Measurement

KINDS = {
    "measured": "measured on hardware",
    "virtual": "instructions / clock, not silicon time",
    "host": "this machine's clock",
}


def measurement_lines(result: Measurement) -> Iterator[str]:
    """Name and value of everything that was measured; null fields are left out."""
    yield f"{result.model} on {result.board}, runtime {result.runtime}"
    for name, value in _fields(result):
        yield f"  {name:<14}{value}"


def _fields(result: Measurement) -> Iterator[tuple[str, str]]:
    yield "latency", f"{result.latency_us / 1000:,.3f} ms ({KINDS[result.latency_kind]})"
    if result.spread is not None:
        yield "spread", f"{100 * result.spread:.2f} % of {result.repeats} repeats after {result.warmups} warm-ups"
    if result.celsius is not None:
        yield "temperature", f"{result.celsius:g} C"
    if result.instructions is not None:
        yield "instructions", f"{result.instructions:,} per inference"
    if result.est_cycles is not None:
        yield "est. cycles", f"{result.est_cycles:,} (estimated by a cost model, zero wait states)"
    other = "the TFLite Micro interpreter's" if result.runtime == "engine" else "our engine's"
    yield "bit exact", f"yes, the same bytes as {other}" if result.bit_exact else f"NO: other bytes than {other}"
    sizes = {"peak SRAM": result.peak_sram_bytes, "arena": result.arena_bytes, "flash": result.flash_bytes}
    yield from ((name, f"{size:,} B") for name, size in sizes.items() if size is not None)
    yield "MACs", f"{result.macs:,}"
    yield "toolchain", result.toolchain
    if result.serial_log:
        yield "serial log", result.serial_log
