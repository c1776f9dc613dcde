"""Outputs of stages, content-addressed: a stage with the same inputs is never computed twice.

    runs/.stages/<stage>-<digest>/           finished output; key.json says of what, cost.json what it took
    runs/.stages/<stage>-<digest>.partial/   being computed, or left by a run that was stopped
    runs/.stages/.locks/<stage>-<digest>     held by the process that computes it

The digest is that of everything that decides the output (`StageKey`). A stage may leave finished parts of its work
in its .partial folder and take them up again. The last thing that happens to it is its renaming.
"""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tinynas.pipeline.cost import Cost, Meter
from tinynas.pipeline.digest import digest
from tinynas.pipeline.files import read_json, write_json

_COST = "cost.json"
_NAMED = 4  # changed settings; of more, only their tables


@dataclass(frozen=True)
class StageKey:
    """All that decides a stage's output."""

    name: str
    version: int  # raised when the stage's code comes to give another output
    settings: Mapping[str, Any] = field(
        default_factory=dict
    )  # JSON values: its part of the experiment, data hash, seed
    upstream: Mapping[str, str] = field(default_factory=dict)  # earlier stage -> its digest

    @property
    def digest(self) -> str:
        return digest(asdict(self))

    @property
    def folder_name(self) -> str:
        return f"{self.name}-{self.digest}"


@dataclass(frozen=True)
class Output:
    """A finished stage."""

    key: StageKey
    folder: Path

    @property
    def digest(self) -> str:
        return self.key.digest

    @property
    def cost(self) -> Cost | None:
        """What it took to compute; None where that was not kept."""
        return Cost.load(self.folder / _COST)


class StageStore:
    """The stage outputs below one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.meter = Meter()  # told by the stages of what they trained, and for how long boards were busy

    def find(self, key: StageKey) -> Output | None:
        """The finished output of `key`, if there is one."""
        folder = self.root / key.folder_name
        return Output(key, folder) if folder.is_dir() else None

    def alike(self, key: StageKey, but: str) -> list[Path]:
        """Folders of finished outputs of the same stage that differ from `key` in the upstream stage `but` alone."""
        folders = (path.parent for path in sorted(self.root.glob(f"{key.name}-*/key.json")))
        whole = (folder for folder in folders if folder.suffix != ".partial")
        return [folder for folder in whole if changes(folder, key) == (but,) and _version(folder) == key.version]

    def begun(self, key: StageKey) -> bool:
        """Whether an earlier run was stopped while it computed this."""
        return self._partial(key).is_dir()

    def get(self, key: StageKey, compute: Callable[[Path], None]) -> Output:
        """The output of `key`; `compute(folder)` makes it where there is none, in a folder that may hold parts of it.

        Waits while another process computes the same. Whatever `compute` raises leaves its finished parts.
        """
        with _locked(self.root / ".locks" / key.folder_name):
            return self.find(key) or self._make(key, compute)

    def _make(self, key: StageKey, compute: Callable[[Path], None]) -> Output:
        partial, final = self._partial(key), self.root / key.folder_name
        known = not partial.exists() or (partial / _COST).exists()  # else begun when costs were not kept yet
        partial.mkdir(parents=True, exist_ok=True)
        with self.meter.costing(partial / _COST) if known else nullcontext():
            write_json(partial / "key.json", asdict(key))
            compute(partial)
        partial.rename(final)
        return Output(key, final)

    def _partial(self, key: StageKey) -> Path:
        return self.root / f"{key.folder_name}.partial"


def changes(old: Path, new: StageKey) -> tuple[str, ...]:
    """What differs between the stage output in folder `old` and `new`: settings as `table.key`, stages by name."""
    before = read_json(old / "key.json")
    changed = _differing(_flat(before["settings"]), _flat(dict(new.settings)))
    changed += _differing(before["upstream"], dict(new.upstream))
    if not changed and before["version"] != new.version:
        return ("tinynas itself",)
    return tuple(changed) if len(changed) <= _NAMED else tuple(sorted({name.split(".")[0] for name in changed}))


def _version(folder: Path) -> int:
    version: int = read_json(folder / "key.json")["version"]
    return version


def _differing(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    return sorted(name for name in {*old, *new} if old.get(name) != new.get(name))


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: _plain(value)}
    return flat


def _plain(value: Any) -> Any:
    """As JSON gives it back: tuples are lists."""
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on `path`; the system lets go of it when this process ends, however that happens."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
