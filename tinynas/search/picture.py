"""A front as a few lines of text, for a terminal while the search runs."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tinynas.search.problem import Generation

_POINT, _FRONT = "·", "●"


def front_picture(generation: Generation, names: Sequence[str], width: int = 60, height: int = 12) -> str:
    """Candidates over the first two objectives, the second across on a log scale; the front's marks are full.

    With one objective: its best value only.
    """
    candidates = generation.candidates
    line = f"generation {generation.number}: {generation.evaluated} evaluated, {generation.rejected} do not fit"
    line += f", hypervolume {generation.hypervolume:.4f}, {len(generation.front)} on the front"
    if len(names) < 2 or not candidates:
        return line
    across = [math.log(max(c.values[1], 1e-9)) for c in candidates]
    up = [c.values[0] for c in candidates]
    front = {c.arch for c in generation.front}
    grid = [[" "] * width for _ in range(height)]
    for candidate, x, y in sorted(zip(candidates, across, up, strict=True), key=lambda item: item[0].arch in front):
        column, row = _cell(x, across, width), height - 1 - _cell(y, up, height)
        grid[row][column] = _FRONT if candidate.arch in front else _POINT
    low, high = (f"{math.exp(edge):,.4g}" for edge in (min(across), max(across)))
    labels = [f"{max(up):10.4g}", *[" " * 10] * (height - 2), f"{min(up):10.4g}"]
    rows = [f"{label} │{''.join(cells)}" for label, cells in zip(labels, grid, strict=True)]
    scale = " " * 12 + low + high.rjust(width - len(low))
    return "\n".join(
        [line, *rows, " " * 11 + "└" + "─" * width, scale, f"{names[0]} over {names[1]}".rjust(12 + width)]
    )


def _cell(value: float, values: Sequence[float], cells: int) -> int:
    """Which of `cells` equal parts of the values' range holds `value`."""
    low, high = min(values), max(values)
    share = (value - low) / (high - low) if high > low else 0.0
    return min(int(share * cells), cells - 1)
