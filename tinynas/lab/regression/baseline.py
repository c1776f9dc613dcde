"""The figures that a suite is held to, in a JSON file beside it, and the comparison with them.

A case has one entry per toolchain: compiler and emulator version are part of the key, since they change what a virtual
board counts. Outputs and accuracy depend on neither, and are compared under any toolchain.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ValidationError

from tinynas.errors import ConfigError
from tinynas.lab.files import write_whole
from tinynas.lab.regression.attempt import Metrics
from tinynas.lab.regression.suite import Tolerance

EXACT = Tolerance(latency=0.0, sram=0.0, flash=0.0, accuracy=0.0)


def tolerance_of(kind: str, wanted: Tolerance) -> Tolerance:
    """The suite's on hardware; none on virtual boards, which count; on the host, time depends on what else it does."""
    if kind == "virtual":
        return EXACT
    return wanted.model_copy(update={"latency": math.inf}) if kind == "host" else wanted


class Toolchain(BaseModel, frozen=True, extra="forbid"):
    """What makes two counts comparable."""

    compiler: str  # first line of its --version
    emulator: str | None  # QEMU's version; None on hardware and the host

    def __str__(self) -> str:
        return self.compiler + (f", QEMU {self.emulator}" if self.emulator else "")


class Record(BaseModel, frozen=True, extra="forbid"):
    """A case's figures under one toolchain."""

    toolchain: Toolchain
    metrics: Metrics
    commit: str | None  # that they were measured at
    date: str


class _File(BaseModel, extra="forbid"):
    format: int = 1
    cases: dict[str, list[Record]] = {}


class Verdict(enum.StrEnum):
    """A figure beside the baseline's."""

    SAME = "same"
    BETTER = "better"
    WITHIN = "within tolerance"  # worse, but no more than is allowed
    WORSE = "worse"
    CHANGED = "changed"  # outputs


@dataclass(frozen=True)
class Comparison:
    """One figure beside the baseline's."""

    metric: str
    wanted: int | float | str
    found: int | float | str
    verdict: Verdict

    @property
    def is_regression(self) -> bool:
        return self.verdict in {Verdict.WORSE, Verdict.CHANGED}

    def __str__(self) -> str:
        if isinstance(self.found, str) or isinstance(self.wanted, str):
            return f"{self.metric} changed: {str(self.wanted)[:12]} → {str(self.found)[:12]}"
        share = f" ({self.found / self.wanted - 1:+.2%})" if self.wanted else ""
        return f"{self.metric} {self.verdict}: {self.wanted:,g} → {self.found:,g}{share}"


@dataclass(frozen=True)
class Comparisons:
    """A case beside its baseline. `note` says why figures were not compared."""

    figures: tuple[Comparison, ...] = ()
    note: str = ""

    @property
    def regressions(self) -> list[Comparison]:
        return [comparison for comparison in self.figures if comparison.is_regression]


@dataclass(frozen=True)
class Baseline:
    """Records by case id."""

    cases: Mapping[str, tuple[Record, ...]] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Baseline:
        """The baseline in the file at `path`; empty if there is none yet.

        Raises:
            ConfigError: it is not a baseline.
        """
        try:
            found = _File.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return cls()
        except (OSError, ValidationError) as error:
            reason = error.strerror if isinstance(error, OSError) else error.errors()[0]["msg"]
            raise ConfigError(f"{path}: not a baseline: {reason}; restore it, or delete it and update it") from error
        return cls({case: tuple(records) for case, records in found.cases.items()})

    def with_records(self, new: Iterable[tuple[str, Record]]) -> Baseline:
        """With each case's record of that toolchain replaced, or added."""
        cases = dict(self.cases)
        for case, record in new:
            others = tuple(old for old in cases.get(case, ()) if old.toolchain != record.toolchain)
            cases[case] = (*others, record)
        return Baseline(cases)

    def write(self, path: Path) -> None:
        """Cases and toolchains in order, a figure a line: made to be committed and reviewed.

        Raises:
            StoreError: the file cannot be written.
        """
        ordered = {case: sorted(self.cases[case], key=lambda r: str(r.toolchain)) for case in sorted(self.cases)}
        write_whole(path, _File(cases=ordered).model_dump_json(indent=1) + "\n")

    def compare(self, case: str, toolchain: Toolchain, found: Metrics, tolerance: Tolerance) -> Comparisons:
        """`found` beside the record of the case; virtual boards are to pass EXACT."""
        records = self.cases.get(case, ())
        if not records:
            return Comparisons(note="no baseline yet")
        for record in records:
            if record.toolchain == toolchain:
                figures = (*_figures(record.metrics, found, tolerance), *_results(record.metrics, found, tolerance))
                return Comparisons(figures)
        known = "; ".join(str(record.toolchain) for record in records)
        note = f"changed toolchain: now {toolchain}, the baseline has {known}; figures are not compared"
        return Comparisons(tuple(_results(records[-1].metrics, found, tolerance)), note)


def _figures(wanted: Metrics, found: Metrics, tolerance: Tolerance) -> Iterator[Comparison]:
    allowed = {"latency_us": tolerance.latency, "peak_sram_bytes": tolerance.sram, "flash_bytes": tolerance.flash}
    for metric, share in ({"instructions": tolerance.latency} | allowed).items():
        before, now = getattr(wanted, metric), getattr(found, metric)
        if before is not None and now is not None:
            yield Comparison(metric, before, now, _verdict(now - before, share * before))


def _results(wanted: Metrics, found: Metrics, tolerance: Tolerance) -> Iterator[Comparison]:
    same = wanted.output_sha256 == found.output_sha256
    verdict = Verdict.SAME if same else Verdict.CHANGED
    yield Comparison("output_sha256", wanted.output_sha256, found.output_sha256, verdict)
    if wanted.accuracy is not None and found.accuracy is not None and wanted.images == found.images:
        fall = wanted.accuracy - found.accuracy
        yield Comparison("accuracy", wanted.accuracy, found.accuracy, _verdict(fall, tolerance.accuracy))


def _verdict(growth: float, allowed: float) -> Verdict:
    if growth <= 0:
        return Verdict.SAME if growth == 0 else Verdict.BETTER
    return Verdict.WITHIN if growth <= allowed else Verdict.WORSE
