"""The benchmark's tables, for a terminal and for Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rich.table import Table

from bench.measuring import BoardResult, Row
from bench.recorded import baselines

HEADERS = ("model", "instructions", "i/MAC", "x floor", "est. cycles", "SRAM B", "flash B", "bit-exact")
ENGINES = {"tflm-cmsis-nn": "TFLM", "tinyengine": "TE"}  # short names in the table
LEGEND = (
    "TFLM, TE: the recorded figure of TFLite Micro with CMSIS-NN, of TinyEngine, divided by ours (above 1 is better). "
    "Instructions are exact; est. cycles are a cost model's, with zero wait states; x floor: instructions divided by "
    "an estimate of what register-blocked code could reach; SRAM: arena, statics and stack of an inference; flash: the "
    "whole image; bit-exact: seeded inputs on which all outputs equal the TFLite Micro interpreter's."
)


@dataclass(frozen=True)
class Cell:
    """A figure, and below it how others compare."""

    text: str
    ratios: str = ""


def rows(result: BoardResult) -> Iterator[list[Cell]]:
    """One row of cells per model, as HEADERS says."""
    for name, row in result.rows.items():
        yield _row(name, row, str(result.board.core))


def _row(name: str, result: Row, core: str) -> list[Cell]:
    row = result.measured
    floor = baselines().floor(core, name)
    return [
        Cell(name),
        _figure(row.instructions, baselines().of(core, name, "instructions")),
        Cell(f"{row.instructions / row.macs:.2f}" if row.instructions else "-"),
        Cell(f"{row.instructions / floor:.2f}" if row.instructions and floor else "-"),
        _figure(row.est_cycles, baselines().of(core, name, "est_cycles")),
        _figure(row.peak_sram_bytes, baselines().of(core, name, "sram_bytes")),
        _figure(row.flash_bytes, baselines().of(core, name, "flash_bytes")),
        Cell(f"{result.identical} of {result.inputs}"),
    ]


def _figure(ours: int | None, recorded: dict[str, int]) -> Cell:
    if ours is None:
        return Cell("-")
    ratios = [f"{ENGINES.get(engine, engine)} {figure / ours:.2f}x" for engine, figure in recorded.items()]
    return Cell(f"{ours:,}", ", ".join(ratios))


def title(result: BoardResult) -> str:
    """What the table is of."""
    return f"{result.board.name} ({result.board.core})"


def terminal_table(result: BoardResult) -> Table:
    """One board's figures, ratios in grey below them."""
    table = Table(title=title(result), show_lines=True)
    for header in HEADERS:
        table.add_column(header, justify="left" if header == "model" else "right", no_wrap=True)
    for cells in rows(result):
        table.add_row(*(f"{cell.text}\n[dim]{cell.ratios}[/dim]" if cell.ratios else cell.text for cell in cells))
    return table


def markdown(results: list[BoardResult]) -> str:
    """All boards' tables, for a README."""
    parts = [LEGEND, ""]
    for result in results:
        parts += [f"**{title(result)}**", "", _line(HEADERS), _line("---" for _ in HEADERS)]
        parts += [_line(_markdown_cell(cell) for cell in cells) for cells in rows(result)]
        parts += ["", *(f"{name}: left out: {reason}" for name, reason in result.left_out.items())]
    return "\n".join(parts).rstrip() + "\n"


def _line(cells: Iterator[str] | tuple[str, ...]) -> str:
    return "| " + " | ".join(cells) + " |"


def _markdown_cell(cell: Cell) -> str:
    return f"{cell.text} ({cell.ratios})" if cell.ratios else cell.text
