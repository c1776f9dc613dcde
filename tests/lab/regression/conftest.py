"""A bench of virtual boards in a folder of its own, with its own locks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from tests.lab.nets import small_net
from tinynas.lab.hwmap import add_virtual
from tinynas.lab.regression.building import Builder
from tinynas.lab.regression.package import Labelled
from tinynas.lab.regression.result import CaseResult, RunResult
from tinynas.lab.regression.run_folder import RunFolder
from tinynas.lab.regression.runner import run_suite
from tinynas.lab.regression.setup import Mode, Setup, set_up
from tinynas.lab.regression.suite import SuiteModel
from tinynas.lab.regression.work import Events, Options


@dataclass
class Bench:
    """Suite, map and models in `folder`; `said` is what the last run told."""

    folder: Path
    said: list[str] = field(default_factory=list)

    def model(self, name: str, content: bytes) -> None:
        (self.folder / f"{name}.tflite").write_bytes(content)

    def suite(self, text: str = "") -> None:
        (self.folder / "suite.toml").write_text(f'name = "s"\n{text}\n[[models]]\npath = "*.tflite"\n')

    def set_up(self, mode: Mode = Mode.BOTH, packages: Path | None = None) -> Setup:
        return set_up(self.folder / "suite.toml", self.folder / "map.yaml", self.folder / "runs", packages, mode)

    def run(self, options: Options = Options(retry_interval_s=0.0), setup: Setup | None = None) -> RunResult:  # noqa: B008
        found = setup or self.set_up()
        with found.open_run(fresh=False) as folder:
            return self.run_in(folder, found, options)

    def run_in(
        self,
        folder: RunFolder,
        setup: Setup,
        options: Options,
        on_done: Callable[[CaseResult], None] = lambda case: None,
    ) -> RunResult:
        self.said.clear()
        with Builder(setup.package_root(folder), setup.models, two_images, 1, reuse=True) as builder:
            events = Events(lambda case, done, total: on_done(case), self.said.append)
            return run_suite(setup.work, folder, builder, options, events)


def two_images(model: SuiteModel) -> Labelled:
    """A black and a white image, labelled 0 and 1."""
    images = np.stack([np.zeros((16, 16, 1), np.uint8), np.full((16, 16, 1), 255, np.uint8)])
    return Labelled(images, np.array([0, 1]))


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """Two small models, two boards of one kind."""
    monkeypatch.setenv("TINYNAS_LOCKS", str(tmp_path / "locks"))
    made = Bench(tmp_path)
    for seed in range(2):
        made.model(f"net{seed}", small_net(seed))
    made.suite()
    add_virtual(tmp_path / "map.yaml", ["qemu-stm32f405", "qemu-stm32f405"])
    return made


def with_cases(setup: Setup, count: int) -> Setup:
    """Only the first `count` cases."""
    return replace(setup, work=replace(setup.work, cases=setup.work.cases[:count]))
