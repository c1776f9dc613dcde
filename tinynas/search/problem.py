"""What a search is given, and what it hands back. All search methods share these."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from tinynas.errors import InfeasibleError
from tinynas.search.pareto import Floats, hypervolume, non_dominated
from tinynas.space.protocol import Space
from tinynas.space.space import Arch

_DRAWS_PER_ARCH = 50  # of the first generation, before it is left smaller
_UNEVALUATED = 1e6  # added to an overflow, so that what does not fit loses to whatever was evaluated


@dataclass(frozen=True)
class Objective:
    """Something to be made small, evaluated in batches: a generation's new candidates arrive in one call.

    `evaluate` gives one finite, non-negative number per arch, the same whenever it is asked about an arch. For
    measured latencies it hands the batch to the lab, which measures in parallel and takes stored ones from its store.
    """

    name: str  # with its unit: "error", "latency_us", "flash_bytes"
    evaluate: Callable[[Sequence[Arch]], Sequence[float]]
    limit: float | None = None  # a candidate above it is no solution, though it may lead to some


@dataclass(frozen=True)
class SearchProblem:
    """Find the networks of `space` that fit the board and are not dominated in the objectives."""

    space: Space
    objectives: tuple[Objective, ...]
    overflows: Callable[[Sequence[Arch]], Sequence[float]]  # of each 0: fits; else the overflow / the limit; in batches
    sample: Callable[[np.random.Generator], Arch]  # of the first generation; best one that samples what fits
    initial: tuple[Arch, ...] = ()  # in the first generation whatever else is
    reference: tuple[float, ...] = ()  # corner of the hypervolumes; (): 1.1 times the worst of the first generation
    constraints: tuple[Objective, ...] = ()  # evaluated too, but only to be kept below their limits

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(objective.name for objective in self.objectives)

    @property
    def evaluated(self) -> tuple[Objective, ...]:
        """Objectives, then constraints."""
        return (*self.objectives, *self.constraints)

    def excess(self, values: Sequence[float]) -> float:
        """By what fraction `values`, of all `evaluated`, exceed their limits, at the worst; 0 within all of them."""
        limited = [(value, o.limit) for value, o in zip(values, self.evaluated, strict=True) if o.limit is not None]
        return max([0.0, *(value / limit - 1 for value, limit in limited)])


@dataclass(frozen=True)
class Candidate:
    """An evaluated arch that fits."""

    arch: Arch
    values: tuple[float, ...]  # in the order of the problem's objectives
    generation: int  # that evaluated it
    constrained: tuple[float, ...] = ()  # in the order of the problem's constraints

    @property
    def all_values(self) -> tuple[float, ...]:
        return self.values + self.constrained


@dataclass(frozen=True)
class Generation:
    """The state of a search after a generation, for progress and live views."""

    number: int  # from 0
    evaluated: int  # distinct archs evaluated so far; all of them fit the board
    rejected: int  # distinct archs so far that did not fit, never evaluated
    hypervolume: float  # of all evaluated so far that keep the limits; never falls
    front: tuple[Candidate, ...]  # of the same
    candidates: tuple[Candidate, ...]  # all evaluated so far, in order


OnGeneration = Callable[[Generation], None]


@dataclass(frozen=True)
class SearchResult:
    """What a search found."""

    objectives: tuple[str, ...]
    reference: tuple[float, ...]  # corner of the hypervolumes
    front: tuple[Candidate, ...]  # by ascending first objective
    candidates: tuple[Candidate, ...]  # all evaluated, in order
    generations: tuple[Generation, ...]


@dataclass
class Archive:
    """Everything a running search has evaluated or rejected."""

    problem: SearchProblem
    budget: int | None = None  # most archs to evaluate
    reference: tuple[float, ...] = ()
    candidates: dict[Arch, Candidate] = field(default_factory=dict)
    overflows: dict[Arch, float] = field(default_factory=dict)  # of the rejected
    generations: list[Generation] = field(default_factory=list)

    @property
    def exhausted(self) -> bool:
        return self.budget is not None and len(self.candidates) >= self.budget

    def seen(self, arch: Arch) -> bool:
        return arch in self.candidates or arch in self.overflows

    def add(self, archs: Sequence[Arch]) -> None:
        """Evaluate what is new and fits, as far as the budget goes; close the generation."""
        new = self._fitting([arch for arch in dict.fromkeys(archs) if not self.seen(arch)])
        if self.budget is not None:
            new = new[: self.budget - len(self.candidates)]
        for arch, values in zip(new, self._evaluate(new), strict=True):
            split = len(self.problem.objectives)
            self.candidates[arch] = Candidate(arch, values[:split], len(self.generations), values[split:])
        if not self.reference and self.solutions:
            worst = tuple(float(value) * 1.1 for value in _points(self.solutions).max(axis=0))  # so that extremes count
            self.reference = self.problem.reference or worst
        self.generations.append(self._generation())

    def _fitting(self, archs: Sequence[Arch]) -> list[Arch]:
        overflows = dict(zip(archs, self.problem.overflows(archs), strict=True))
        self.overflows.update({arch: overflow for arch, overflow in overflows.items() if overflow > 0})
        return [arch for arch, overflow in overflows.items() if overflow <= 0]

    def _evaluate(self, archs: Sequence[Arch]) -> list[tuple[float, ...]]:
        if not archs:
            return []
        columns = [[float(value) for value in objective.evaluate(archs)] for objective in self.problem.evaluated]
        for objective, column in zip(self.problem.evaluated, columns, strict=True):
            # a caller's bug, not a user's: a failed measurement has to raise, not to return NaN
            if len(column) != len(archs) or not all(math.isfinite(value) and value >= 0 for value in column):
                raise ValueError(
                    f"objective {objective.name!r}: wanted {len(archs)} non-negative numbers, found {column}"
                )
        return list(zip(*columns, strict=True))

    def values(self, arch: Arch) -> tuple[float, ...]:
        """Objectives of an arch; infinite where it does not fit."""
        known = self.candidates.get(arch)
        return known.values if known else (math.inf,) * len(self.problem.objectives)

    def violation(self, arch: Arch) -> float:
        """How far from being a solution: 0, or the excess over a limit, or beyond all of those the overflow."""
        if arch in self.overflows:
            return _UNEVALUATED + self.overflows[arch]
        return self.problem.excess(self.candidates[arch].all_values)

    @property
    def solutions(self) -> list[Candidate]:
        """The candidates that keep all limits."""
        return [c for c in self.candidates.values() if self.problem.excess(c.all_values) == 0.0]

    def front(self) -> tuple[Candidate, ...]:
        """The solutions that no other one dominates, by ascending first objective."""
        solutions = self.solutions
        chosen = [c for c, keep in zip(solutions, non_dominated(_points(solutions)), strict=True) if keep]
        return tuple(sorted(chosen, key=lambda candidate: (candidate.values, candidate.arch)))

    def _generation(self) -> Generation:
        solutions = self.solutions
        volume = hypervolume(_points(solutions), self.reference) if solutions else 0.0
        everyone = tuple(self.candidates.values())
        return Generation(len(self.generations), len(everyone), len(self.overflows), volume, self.front(), everyone)

    def require_solution(self) -> None:
        """Raise `InfeasibleError`, naming the network that came nearest, if there is no solution."""
        if self.solutions:
            return
        label = self.problem.space.label
        if not self.candidates:
            arch, overflow = min(self.overflows.items(), key=lambda item: item[1])
            raise InfeasibleError(
                f"none of {len(self.overflows)} networks fits the board; the nearest, {label(arch)}, is "
                f"{overflow:.0%} over its memory. Allow smaller choices, a larger budget, or pick another board."
            )
        nearest = min(self.candidates.values(), key=lambda c: self.problem.excess(c.all_values))
        found = ", ".join(
            f"{o.name} {value:.6g} (limit {o.limit:.6g})"
            for o, value in zip(self.problem.evaluated, nearest.all_values, strict=True)
            if o.limit is not None
        )
        raise InfeasibleError(
            f"none of {len(self.candidates)} evaluated networks keeps the limits; the nearest, {label(nearest.arch)}, "
            f"has {found}. Raise the limit or allow smaller choices."
        )

    def result(self) -> SearchResult:
        """The search so far."""
        return SearchResult(
            self.problem.names,
            self.reference,
            self.front(),
            tuple(self.candidates.values()),
            tuple(self.generations),
        )


def first_generation(problem: SearchProblem, size: int, rng: np.random.Generator) -> list[Arch]:
    """The problem's initial archs and distinct samples, `size` together; fewer if a small space has no more."""
    archs = dict.fromkeys(problem.space.canonical(arch) for arch in problem.initial)
    for _ in range(size * _DRAWS_PER_ARCH):
        if len(archs) >= size:
            break
        archs[problem.sample(rng)] = None
    return list(archs)


def _points(candidates: Sequence[Candidate]) -> Floats:
    """Their objectives (n, objectives)."""
    return np.array([candidate.values for candidate in candidates]) if candidates else np.zeros((0, 1))
