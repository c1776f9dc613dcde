"""How a run tells what it is doing: a protocol, a display with bars for terminals, and plain lines for files."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.progress import Progress as RichBars
    from rich.progress import TaskID

_PLAIN_EVERY_S = 10.0


class Progress(Protocol):
    """What a run reports to. One stage is under way at a time."""

    def begin(self, stage: str, what: str, total: int) -> None:
        """`stage` starts on `total` pieces of work, `what` each ("epochs", "candidates measured on the board")."""

    def advance(self, completed: int, note: str = "") -> None:
        """`completed` pieces are done; `note` is the latest figure worth seeing."""

    def expect(self, total: int) -> None:
        """The stage under way turned out to have `total` pieces of work."""

    def end(self, note: str = "") -> None:
        """The stage is finished; `note` is its result."""

    def say(self, line: str) -> None:
        """One line that stays."""

    def view(self, picture: str) -> None:
        """Lines that stand until the next picture or the end of the stage, where there is a terminal to draw on."""


class Silent:
    """Reports nothing."""

    def begin(self, stage: str, what: str, total: int) -> None: ...

    def advance(self, completed: int, note: str = "") -> None: ...

    def expect(self, total: int) -> None: ...

    def end(self, note: str = "") -> None: ...

    def say(self, line: str) -> None: ...

    def view(self, picture: str) -> None: ...


class PlainProgress:
    """A line when a stage starts, every few seconds, and when it ends; on stderr, for logs and pipes."""

    def __init__(self) -> None:
        self._stage, self._what, self._total = "", "", 0
        self._begun_s = self._said_s = 0.0

    def begin(self, stage: str, what: str, total: int) -> None:
        self._stage, self._what, self._total = stage, what, total
        self._begun_s = self._said_s = time.monotonic()
        self.say(f"{stage}: {what}" + (f", {total} to do" if total > 1 else ""))

    def advance(self, completed: int, note: str = "") -> None:
        now_s = time.monotonic()
        if now_s - self._said_s < _PLAIN_EVERY_S:
            return
        self._said_s = now_s
        left_s = (now_s - self._begun_s) / max(completed, 1) * (self._total - completed)
        tail = f", {note}" if note else ""
        self.say(f"{self._stage}: {completed}/{self._total} {self._what}, about {left_s:.0f} s left{tail}")

    def expect(self, total: int) -> None:
        self._total = total

    def end(self, note: str = "") -> None:
        spent_s = time.monotonic() - self._begun_s
        self.say(f"{self._stage}: done in {spent_s:.0f} s{f', {note}' if note else ''}")

    def say(self, line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    def view(self, picture: str) -> None: ...


class RichProgress:
    """A bar per stage on stderr: stage, what is counted, share done, time left, latest figure."""

    def __init__(self, bars: RichBars) -> None:
        self._bars = bars
        self._task: TaskID | None = None
        self._begun_s = 0.0
        self._stage = ""
        self._picture = ""

    def begin(self, stage: str, what: str, total: int) -> None:
        self._stage, self._begun_s = stage, time.monotonic()
        self._task = self._bars.add_task(stage, total=total, what=what, note="")

    def advance(self, completed: int, note: str = "") -> None:
        if self._task is not None:
            self._bars.update(self._task, completed=completed, note=note)

    def expect(self, total: int) -> None:
        if self._task is not None:
            self._bars.update(self._task, total=total)

    def end(self, note: str = "") -> None:
        if self._task is not None:
            self._bars.remove_task(self._task)
            self._task = None
        self._picture = ""
        self.say(f"✓ {self._stage:<18} {time.monotonic() - self._begun_s:5.0f} s  {note}")

    def say(self, line: str) -> None:
        self._bars.console.print(line, highlight=False, markup=False)

    def view(self, picture: str) -> None:
        self._picture = picture

    def shown(self) -> RenderableType:
        """The picture, if there is one, above the bars; asked for several times a second."""
        from rich.console import Group
        from rich.text import Text

        return Group(Text(self._picture, no_wrap=True), self._bars) if self._picture else self._bars


@contextmanager
def shown_progress() -> Iterator[Progress]:
    """Bars where stderr is a terminal, else plain lines."""
    if not sys.stderr.isatty():
        yield PlainProgress()
        return
    from rich.console import Console
    from rich.live import Live
    from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (
        SpinnerColumn(),
        TextColumn("[bold]{task.description:<12}"),
        BarColumn(bar_width=28),
        MofNCompleteColumn(),
        TextColumn("{task.fields[what]}"),
        TimeRemainingColumn(compact=True),
        TextColumn("[dim]{task.fields[note]}"),
    )
    console = Console(stderr=True)
    progress = RichProgress(Bars(*columns, console=console, auto_refresh=False))
    with Live(console=console, transient=True, refresh_per_second=8, get_renderable=progress.shown):
        yield progress
