"""A suite: which models run on which boards with which runtimes, and how much a figure may change."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field, PositiveFloat, PositiveInt, ValidationError

from tinynas.errors import ConfigError
from tinynas.lab.board import known_boards
from tinynas.lab.hwmap import BoardEntry
from tinynas.lab.measure import Runtime

Share = Annotated[float, Field(ge=0)]


class ModelSpec(BaseModel, frozen=True, extra="forbid"):
    """A model, or all that a pattern finds."""

    path: str  # .tflite, or a pattern like models/*.tflite; seen from the suite's folder
    name: str | None = None  # default: the file's name without suffix
    data: str | None = None  # labelled images for the accuracy, as `tinynas eval --data` takes them
    split: Literal["train", "validation", "test", "all"] = "test"
    limit: PositiveInt | None = None  # only the first images
    boards: tuple[str, ...] | None = None  # in place of the suite's
    runtimes: tuple[Runtime, ...] | None = None


class Tolerance(BaseModel, frozen=True, extra="forbid"):
    """How much worse a figure may be than the baseline's, as a share of it. Virtual boards count exactly: 0 there."""

    latency: Share = 0.03
    sram: Share = 0.0
    flash: Share = 0.01
    accuracy: Share = 0.0  # in fractions of 1, not as a share


class Suite(BaseModel, frozen=True, extra="forbid"):
    """What `tinynas lab run` takes. Paths are seen from the suite's folder."""

    name: Annotated[str, Field(pattern=r"^[\w.-]+$")]
    models: tuple[ModelSpec, ...] = Field(min_length=1)
    boards: tuple[str, ...] | None = None  # kinds of boards; default: every kind in the hardware map
    runtimes: tuple[Runtime, ...] = ("engine",)
    fixtures: tuple[str, ...] = ()  # only boards that have them all
    every_board: bool = False  # run on each board of a kind, not on any of them
    repeats: PositiveInt = 3  # timed inferences; the median counts
    timeout_s: PositiveFloat = 300.0  # of one attempt on a board, flashing apart
    tolerance: Tolerance = Tolerance()
    baseline: Path = Path("baseline.json")
    quarantine: Path | None = None

    @classmethod
    def load(cls, path: Path) -> Suite:
        """The suite in the file at `path`, with absolute paths.

        Raises:
            ConfigError: missing or malformed, or it names an unknown board; the key is named.
        """
        try:
            suite = cls.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(map(str, first["loc"]))
            raise ConfigError(f"{path}: {key}: {first['msg']} (found {first['input']!r}); mend the suite") from error
        except (tomllib.TOMLDecodeError, OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise ConfigError(f"{path}: {reason}; wanted a suite in TOML, as docs/lab.md describes it") from error
        _require_known(suite, path)
        home = path.resolve().parent
        quarantine = None if suite.quarantine is None else home / suite.quarantine
        models = tuple(_absolute(spec, home) for spec in suite.models)
        update = {"baseline": home / suite.baseline, "quarantine": quarantine, "models": models}
        return suite.model_copy(update=update | {"boards": _boards(suite.boards, home)})


@dataclass(frozen=True)
class SuiteModel:
    """One model file of a suite."""

    name: str
    path: Path
    spec: ModelSpec


@dataclass(frozen=True, order=True)
class Case:
    """One model on one kind of board (or on one board) with one runtime: what passes or fails."""

    model: str
    board: str
    runtime: Runtime
    entry: str | None = None  # the board's id, where it must be that one

    @property
    def id(self) -> str:
        """Its name in reports, baselines and quarantine lists: `vww@nucleo-f401re/engine`."""
        where = f"{self.kind}:{self.entry}" if self.entry else self.kind
        return f"{self.model}@{where}/{self.runtime}"

    @property
    def kind(self) -> str:
        """The board's name, where `board` is the path of its file too."""
        return Path(self.board).stem

    @property
    def package(self) -> str:
        """The name of what is built for it: boards of one kind share it."""
        return f"{self.model}@{self.kind}-{self.runtime}"


def suite_models(suite: Suite) -> tuple[SuiteModel, ...]:
    """Every model file of the suite, in order.

    Raises:
        ConfigError: a pattern finds nothing, or two models have one name.
    """
    found = tuple(model for spec in suite.models for model in _files(spec))
    names = [model.name for model in found]
    for name in names:
        if names.count(name) > 1:
            paths = ", ".join(str(model.path) for model in found if model.name == name)
            raise ConfigError(f"suite {suite.name}: two models are called {name!r} ({paths}); give one a `name`")
    return found


def suite_cases(suite: Suite, models: Sequence[SuiteModel], kinds: Sequence[str]) -> Iterator[Case]:
    """Every model on every kind of board with every runtime. `kinds`: those of the map, where the suite names none."""
    for model in models:
        boards = model.spec.boards or suite.boards or tuple(kinds)
        for board in boards:
            for runtime in model.spec.runtimes or suite.runtimes:
                yield Case(model.name, board, runtime)


def on_every_board(cases: Iterable[Case], entries: Sequence[BoardEntry]) -> Iterator[Case]:
    """Each case once for each board of its kind; as it is where there is none."""
    for case in cases:
        ids: list[str | None] = [entry.id for entry in entries if entry.kind == case.kind]
        yield from (replace(case, entry=entry) for entry in ids or [None])


def _require_known(suite: Suite, path: Path) -> None:
    """Else a name with a slip in it would be skipped, night after night."""
    named = [*(suite.boards or ()), *(board for spec in suite.models for board in spec.boards or ())]
    for board in named:
        if not board.endswith(".toml") and board not in known_boards():
            raise ConfigError(f"{path}: boards: unknown board {board!r}; `tinynas boards` lists the names")


def _absolute(spec: ModelSpec, home: Path) -> ModelSpec:
    data = spec.data
    if data is not None and (home / data).exists():
        data = str(home / data)  # else the name of a data set
    return spec.model_copy(update={"path": str(home / spec.path), "data": data, "boards": _boards(spec.boards, home)})


def _boards(boards: tuple[str, ...] | None, home: Path) -> tuple[str, ...] | None:
    """Paths of board files made absolute, as in a hardware map."""
    if boards is None:
        return None
    return tuple(str((home / board).resolve()) if board.endswith(".toml") else board for board in boards)


def _files(spec: ModelSpec) -> list[SuiteModel]:
    path = Path(spec.path)
    is_pattern = any(sign in spec.path for sign in "*?[") and not path.exists()
    paths = sorted(Path(path.anchor).glob(str(path.relative_to(path.anchor)))) if is_pattern else [path]
    if not paths:
        raise ConfigError(f"{spec.path}: no model there; mend `path` in the suite")
    if spec.name is not None and len(paths) > 1:
        raise ConfigError(f"{spec.path}: `name` is {spec.name!r}, but {len(paths)} files are there; drop the name")
    return [SuiteModel(spec.name or file.stem, file, spec) for file in paths]
