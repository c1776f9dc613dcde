"""Recorded figures of other engines (bench/baselines.toml)."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, PositiveInt

Figures = Mapping[str, PositiveInt]  # model -> figure


class Model(BaseModel, frozen=True, extra="forbid"):
    """A reference model: where it is published, and what it takes at least."""

    file: str  # its name in that repository
    source: str  # repository, commit, folder
    licence: str
    sha256: str
    macs: PositiveInt
    floor_m4: PositiveInt  # instructions that register-blocked code could reach, an estimate
    floor_m55: PositiveInt


class Engine(BaseModel, frozen=True, extra="forbid"):
    """Figures of one engine on one core; models that it cannot run are left out."""

    engine: str
    core: str
    instructions: Figures
    est_cycles: Figures
    sram_bytes: Figures = {}
    flash_bytes: Figures = {}


class Baselines(BaseModel, frozen=True, extra="forbid"):
    """The whole file."""

    models: Mapping[str, Model]
    figures: tuple[Engine, ...]

    def of(self, core: str, model: str, field: str) -> dict[str, int]:
        """Engine -> its recorded figure, where there is one; `field` is one of Engine's."""
        found = {row.engine: getattr(row, field).get(model) for row in self.figures if row.core == core}
        return {engine: figure for engine, figure in found.items() if figure is not None}

    def floor(self, core: str, model: str) -> int | None:
        """Instructions of register-blocked code on `core`, where they were estimated."""
        if model not in self.models:
            return None
        return self.models[model].floor_m55 if core == "cortex-m55" else self.models[model].floor_m4

    def name_of(self, sha256: str) -> str | None:
        """Short name of the reference model with that digest."""
        return next((name for name, model in self.models.items() if model.sha256 == sha256), None)


@functools.cache
def baselines() -> Baselines:
    """The recorded figures."""
    return Baselines.model_validate(tomllib.loads((Path(__file__).parent / "baselines.toml").read_text()))
