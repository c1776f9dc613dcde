"""A run's folder: what was asked, every attempt as it ends, logs, results. An interrupted run goes on from it."""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import hashlib
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import BaseModel, ValidationError

from tinynas.errors import StoreError
from tinynas.lab.files import write_whole
from tinynas.lab.regression.attempt import Attempt
from tinynas.lab.regression.result import RunResult, Surroundings

_ABOUT, _ATTEMPTS, _SECONDS, _RESULTS, _LOCK = "run.json", "attempts.jsonl", "seconds", "results.json", "lock"


class About(BaseModel, frozen=True, extra="forbid"):
    """What a run was asked; the same again continues it."""

    key: str  # hash of suite, map, models and options
    started: str  # UTC, ISO 8601
    surroundings: Surroundings


class RunFolder:
    """One run on disk, which is ours until it is closed: another process does not continue what still runs."""

    def __init__(self, path: Path, about: About) -> None:
        """Raises BlockingIOError if another has it."""
        self.path = path
        self.about = about
        self._lock = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """The run may be continued by others."""
        os.close(self._lock)

    @property
    def attempts(self) -> list[Attempt]:
        """Those that ended, in order; a line that was cut off by a crash is none."""
        lines = self._attempts_file.read_bytes().splitlines() if self._attempts_file.is_file() else []
        return [attempt for line in lines if (attempt := _whole(line)) is not None]

    def add(self, attempt: Attempt) -> None:
        """Keeps one more."""
        try:
            with self._attempts_file.open("ab+") as file:
                file.seek(max(0, file.tell() - 1))
                cut_off = file.read(1) not in {b"", b"\n"}  # by a crash; what is added must not continue that line
                file.write((b"\n" if cut_off else b"") + attempt.model_dump_json().encode() + b"\n")
        except OSError as error:
            raise StoreError(f"{self._attempts_file}: cannot be written: {error.strerror}; free some space") from error

    def attempt_folder(self, case_id: str, number: int) -> Path:
        """Where an attempt's logs go, seen from the run's folder."""
        return Path("cases") / case_id.replace("/", "-").replace(":", "-") / f"attempt-{number}"

    @property
    def seconds(self) -> float:
        """Spent in all sittings."""
        file = self.path / _SECONDS
        return sum(map(float, file.read_text().split())) if file.is_file() else 0.0

    def add_seconds(self, seconds: float) -> None:
        """One more sitting."""
        with (self.path / _SECONDS).open("a", encoding="ascii") as file:
            file.write(f"{seconds:.3f}\n")

    def finish(self, result: RunResult) -> None:
        """Writes the results; the run is then over."""
        write_whole(self.path / _RESULTS, result.model_dump_json(indent=1) + "\n")

    @property
    def _attempts_file(self) -> Path:
        return self.path / _ATTEMPTS


def open_run(root: Path, key: str, surroundings: Surroundings, *, fresh: bool = False) -> RunFolder:
    """The unfinished run of `root` with this key, else a new one; with `fresh`, always a new one. To be closed.

    Raises:
        StoreError: it cannot be written.
    """
    found = None if fresh else _unfinished(root, key, surroundings)
    return found or _new(root, About(key=key, started=_now(), surroundings=surroundings))


def read_results(path: Path) -> RunResult:
    """The results in a run's folder, or in its results.json.

    Raises:
        StoreError: no run, or it has not finished.
    """
    file = path / _RESULTS if path.is_dir() else path
    try:
        return RunResult.model_validate_json(file.read_bytes())
    except OSError as error:
        raise StoreError(f"{file}: {error.strerror}; finish the run: tinynas lab run") from error
    except ValidationError as error:
        raise StoreError(f"{file}: not the results of a run: {error.errors()[0]['msg']}") from error


def last_results(root: Path) -> Path:
    """The results of the last run that finished under `root`.

    Raises:
        StoreError: none has.
    """
    finished = sorted(root.glob(f"*/{_RESULTS}"))
    if not finished:
        raise StoreError(f"{root}: no finished run; start one: tinynas lab run")
    return finished[-1].parent


def run_key(*parts: str | bytes) -> str:
    """A hash of what a run was asked."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8) + data)
    return digest.hexdigest()


def _whole(line: bytes) -> Attempt | None:
    try:
        return Attempt.model_validate_json(line)
    except ValidationError:
        return None


def _unfinished(root: Path, key: str, surroundings: Surroundings) -> RunFolder | None:
    for folder in sorted(root.glob("*"), reverse=True):
        try:
            about = About.model_validate_json((folder / _ABOUT).read_bytes())
        except (OSError, ValidationError):
            continue
        if about.key == key and about.surroundings == surroundings and not (folder / _RESULTS).exists():
            with contextlib.suppress(BlockingIOError):  # it is running
                return RunFolder(folder, about)
    return None


def _new(root: Path, about: About) -> RunFolder:
    stamp = about.started.replace(":", "").replace("-", "")[:15]
    for name in (stamp, *(f"{stamp}-{n}" for n in range(2, 1000))):
        try:
            (root / name).mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise StoreError(f"{root / name}: cannot be made: {error.strerror}") from error
        write_whole(root / name / _ABOUT, about.model_dump_json(indent=1) + "\n")
        return RunFolder(root / name, about)
    raise StoreError(f"{root}: too many runs started at once")


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
