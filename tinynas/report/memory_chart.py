"""The arena of a planned net over time, as SVG: what lies where while each op runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinynas.plan.plan import Buffer, Plan
from tinynas.report.legend import CHAR_WIDTH, LegendEntry, legend, with_legend
from tinynas.report.memory_text import Part, peak_step
from tinynas.report.svg import Axis, Frame, line, picture, rect, square, text

CUT_MIN_CHARS, LABEL_MIN_HEIGHT = 8, 16  # smaller rectangles have only a tip
LINE_HEIGHT = 15  # user units
LEGEND = (
    LegendEntry(square, "tensor-peak", "tensor, alive at the peak"),
    LegendEntry(square, "tensor", "other tensors"),
    LegendEntry(square, "scratch", "scratch of a kernel"),
)


@dataclass(frozen=True)
class Block:
    """A rectangle of the map: one buffer, with the names of the tensors that share it."""

    name: str
    buffer: Buffer
    scratch: bool


def blocks(plan: Plan) -> list[Block]:
    """Every distinct buffer of the plan; views of one buffer make one block."""
    names: dict[Buffer, list[str]] = {}
    for index, buffer in plan.buffers.items():
        names.setdefault(buffer, []).append(plan.graph.tensors[index].name)
    tensors = [Block(" = ".join(shared), buffer, False) for buffer, shared in names.items()]
    scratch = [Block(f"scratch of {step.kernel}", step.scratch, True) for step in plan.steps if step.scratch]
    return tensors + scratch


def memory_chart(plan: Plan, width: float = 1000, height: float = 440) -> str:
    """Rectangles: x is the step, y the offset in the arena. What is alive at the peak is darker."""
    x = Axis("step (op in execution order)", 0, max(len(plan.steps), 1), whole=True)
    y = Axis("offset in the arena, KiB", 0, max(plan.arena_bytes, 1) / 1024 * 1.06)
    frame = with_legend(Frame(x, y, width, height), LEGEND)
    peak = peak_step(plan)
    marks = [
        *frame.axes(),
        rect(frame.px(peak), frame.top, frame.px(1) - frame.px(0), frame.py(0) - frame.top, "part-free"),
    ]
    placed = [_Placed.of(block, peak, frame) for block in blocks(plan)]
    marks += [block.mark() for block in placed] + labels(placed)
    top = frame.py(plan.arena_bytes / 1024)
    marks += [line(frame.left, top, width - frame.right, top, "dash")]
    words = f"arena {plan.arena_bytes:,} B (no placement in this order is below {plan.lower_bound_bytes:,} B)"
    marks += [text(width - frame.right, top - 6, words, "note", "end"), *legend(LEGEND, frame)]
    return picture(width, height, marks, "Arena over time")


@dataclass(frozen=True)
class _Placed:
    """A block in the picture, in user units."""

    block: Block
    x: float
    y: float
    width: float
    height: float
    css: str

    @classmethod
    def of(cls, block: Block, peak: int, frame: Frame) -> _Placed:
        buffer = block.buffer
        at_peak = buffer.first <= peak <= buffer.last
        css = "scratch" if block.scratch else "tensor-peak" if at_peak else "tensor"
        x, y = frame.px(buffer.first), frame.py((buffer.offset + buffer.size_bytes) / 1024)
        width = frame.px(min(buffer.last + 1, frame.x.high)) - x
        return cls(block, x, y, width, frame.py(buffer.offset / 1024) - y, css)

    def mark(self) -> str:
        buffer = self.block.buffer
        tip = f"{self.block.name}: {buffer.size_bytes:,} B at {buffer.offset:,}, steps {buffer.first} to {buffer.last}"
        return rect(self.x, self.y, self.width, self.height, self.css, tip)

    def name(self) -> str:
        """The name, cut to the rectangle; empty where there is no room."""
        name = "scratch" if self.block.scratch else self.block.name
        room = int((self.width - 6) / CHAR_WIDTH)
        if room < min(len(name), CUT_MIN_CHARS) or self.height < LABEL_MIN_HEIGHT:
            return ""
        return name if len(name) <= room else name[: room - 1] + "…"

    def label(self, name: str) -> str:
        return text(self.x + 5, self.y + 13, name, "on-fill" if self.css == "tensor-peak" else "on-pale")


def labels(placed: Sequence[_Placed]) -> list[str]:
    """Names of the blocks, the larger first; a name that would lie on another is left out (its tip still says it)."""
    marks, taken = [], list[tuple[float, float, float]]()
    for block in sorted(placed, key=lambda block: -block.width * block.height):
        name, left = block.name(), block.x + 5
        right = left + (len(name) + 1) * CHAR_WIDTH
        clear = all(right < a or left > b or abs(block.y - y) >= LINE_HEIGHT for a, b, y in taken)
        if name and clear:
            taken.append((left, right, block.y))
            marks.append(block.label(name))
    return marks


def usage_bar(title: str, parts: Sequence[Part], width: float = 1000) -> str:
    """One memory as a single bar, its parts named below; the last part is what is free."""
    total = sum(part.size_bytes for part in parts)
    marks, x, label_x = [text(0, 14, title, "strong")], 0.0, 0.0
    for part in parts:
        extent = width * part.size_bytes / total
        marks.append(rect(x, 24, extent, 26, f"part-{part.name}", f"{part.name}: {part.size_bytes:,} B"))
        words = f"{part.name} {part.size_bytes:,} B"
        marks += [rect(label_x, 62, 11, 11, f"part-{part.name}"), text(label_x + 17, 72, words, "note")]
        label_x += 17 + CHAR_WIDTH * len(words) + 24
        x += extent
    return picture(width, 80, [*marks, rect(0.5, 24, width - 1, 26, "outline")], title)
