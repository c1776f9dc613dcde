"""From the files of a regression run to the work that is to be done."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinynas.errors import ConfigError
from tinynas.lab.board import load_board
from tinynas.lab.hwmap import read_map
from tinynas.lab.regression.baseline import Baseline
from tinynas.lab.regression.package import read_package
from tinynas.lab.regression.quarantine import Quarantine
from tinynas.lab.regression.run_folder import RunFolder, open_run, run_key
from tinynas.lab.regression.suite import Case, Suite, SuiteModel, on_every_board, suite_cases, suite_models
from tinynas.lab.regression.surroundings import surroundings
from tinynas.lab.regression.work import Work


class Mode(enum.StrEnum):
    """Which half of a run."""

    BOTH = "both"
    BUILD = "build"
    TEST = "test"


@dataclass(frozen=True)
class Setup:
    """What a run starts from."""

    mode: Mode
    suite_path: Path
    root: Path  # runs go below it
    packages: Path | None  # None: each run has its own
    models: Mapping[str, SuiteModel]  # by name; empty if packages are only tested
    work: Work
    key: str  # the same inputs give the same: an interrupted run is found by it

    def open_run(self, *, fresh: bool) -> RunFolder:
        """The interrupted run of these inputs, or a new one."""
        virtual = any(load_board(entry.board).kind == "virtual" for entry in self.work.entries)
        about = surroundings(self.suite_path.resolve().parent, with_emulator=virtual)
        return open_run(self.root, self.key, about, fresh=fresh)

    def package_root(self, folder: RunFolder) -> Path:
        """Where the packages of a run are."""
        return self.packages or folder.path / "packages"


def default_root(suite: Suite) -> Path:
    """Where the runs of a suite go."""
    return Path("runs") / "lab" / suite.name


def set_up(suite_path: Path, map_path: Path, root: Path | None, packages: Path | None, mode: Mode) -> Setup:
    """Reads suite, hardware map, baseline and quarantine list.

    Raises:
        ConfigError: one of them is missing or malformed.
    """
    suite = Suite.load(suite_path)
    where = root or default_root(suite)
    if mode is not Mode.BOTH:
        packages = packages or where / "packages"
    entries = () if mode is Mode.BUILD and suite.boards and not map_path.exists() else read_map(map_path)
    models = () if mode is Mode.TEST else suite_models(suite)
    if mode is Mode.TEST:
        assert packages is not None
        cases = _packaged(packages)
    else:
        cases = list(suite_cases(suite, models, sorted({entry.board for entry in entries})))
    _refuse_what_has_no_image(cases)
    if suite.every_board:
        cases = list(on_every_board(cases, entries))
    quarantine = Quarantine() if suite.quarantine is None else Quarantine.read(suite.quarantine)
    work = Work(suite, tuple(cases), tuple(entries), Baseline.read(suite.baseline), quarantine)
    key = run_key(mode, *_inputs(suite, suite_path, map_path, models, packages if mode is Mode.TEST else None))
    return Setup(mode, suite_path, where, packages, {model.name: model for model in models}, work, key)


def _refuse_what_has_no_image(cases: Sequence[Case]) -> None:
    for case in cases:
        if case.runtime == "tflm" and case.kind == "host":
            raise ConfigError(
                f"{case.id}: the upstream interpreter on this machine is no firmware; leave it out of the suite, "
                "and time it by: tinynas time --board host --runtime tflm"
            )


def _packaged(packages: Path) -> list[Case]:
    found = sorted(path.parent for path in packages.glob("*/package.json"))
    if not found:
        raise ConfigError(f"{packages}: no packages; build them with: tinynas lab run SUITE --build-only")
    return [Case(package.model, package.board, package.runtime) for package in map(read_package, found)]


def _inputs(
    suite: Suite, suite_path: Path, map_path: Path, models: Sequence[SuiteModel], packages: Path | None
) -> list[bytes]:
    """Everything that a run's outcome depends on, but its surroundings."""
    files = [suite_path, map_path, suite.baseline, *([suite.quarantine] if suite.quarantine else [])]
    files += [model.path for model in models]
    files += sorted(packages.glob("*/package.json")) if packages else []
    return [path.read_bytes() if path.is_file() else b"" for path in files]
