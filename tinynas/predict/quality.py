"""DONNA's accuracy predictor (arXiv 2012.08859 section 3.3), made to work with a dozen finetuned networks.

The paper fits accuracy = c + a.P + P'BP by linear regression, P being the noise-to-signal ratios (NSR) of a net's
blocks. With so few nets a free fit ranks worse than the plain sum of P. What is known beforehand mends that:

- accuracy falls with the NSR of every block, so no slope may be positive (non-negative least squares);
- the plain sum ranks well, so the slopes are shrunk towards each other: ridge on their differences from their mean.
  Infinite ridge is the plain sum, none is free but for the signs; leave-one-out picks;
- a resolution's offset is worth one pseudo-observation of 0, as it is confounded with the NSR measured there.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from tinynas.errors import ConfigError
from tinynas.predict.kendall import kendall_tau

Floats = NDArray[np.float64]

# of the mean variance of an NSR column, per net; the last is "only the sum counts"
RIDGES = (0.0, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 1e6)
ENOUGH_HELDOUT = 10  # a Kendall tau of fewer nets is mostly chance
MIN_NETS = 4  # an intercept, a slope, and something left to leave out and to judge by


@dataclass(frozen=True)
class Nets:
    """Finetuned networks: what the predictor sees of them, and what it shall predict."""

    nsr: Floats  # (n, stages), unit-free; validation NSR of each stage's library block
    accuracy: Floats  # (n,), fractions of 1 on the validation split
    resolution: NDArray[np.int64] | None = None  # (n,) index into the space's resolutions; None: all equal
    baselines: Mapping[str, Floats] = field(default_factory=dict)  # name -> (n,) scores, larger = better

    def __post_init__(self) -> None:
        columns = [self.accuracy, self.resolutions, *self.baselines.values()]
        if self.nsr.ndim != 2 or any(len(column) != len(self.nsr) for column in columns):
            raise ConfigError("accuracy, resolution and every baseline need one entry per row of nsr")
        if not (np.isfinite(self.nsr).all() and np.isfinite(self.accuracy).all()):
            raise ConfigError("nsr and accuracy must be finite; a finetuning that diverged must be left out or redone")

    @property
    def resolutions(self) -> NDArray[np.int64]:
        return np.zeros(len(self.nsr), np.int64) if self.resolution is None else self.resolution

    def rows(self, keep: NDArray[np.bool_]) -> Nets:
        """Some of the networks."""
        baselines = {name: scores[keep] for name, scores in self.baselines.items()}
        return Nets(self.nsr[keep], self.accuracy[keep], self.resolutions[keep], baselines)


class AccuracyPredictor(BaseModel, frozen=True, extra="forbid"):
    """accuracy = intercept + offsets[resolution] - slopes . nsr, clipped to [0, 1], and how well that did."""

    intercept: float
    slopes: tuple[float, ...]  # one per stage, >= 0: accuracy lost per unit of NSR
    offsets: tuple[float, ...]  # one per resolution
    ridge: float  # chosen from RIDGES
    n_fit: int
    loo_mse: float  # of leave-one-out predictions, each with its own ridge; accuracy as fractions of 1
    kendall_tau_loo: float  # of the same predictions; biased downwards, see `leave_pair_out`
    kendall_tau_pairs: float  # each pair of nets ordered by a fit to the others
    baselines: dict[str, float]  # Kendall tau of each baseline on the fitted nets, "sum_nsr" among them
    n_heldout: int = 0
    kendall_tau_heldout: float | None = None
    baselines_heldout: dict[str, float] = {}

    def predict(self, nsr: Floats, resolution: NDArray[np.int64] | Sequence[int] | None = None) -> Floats:
        """Accuracies (n,) of networks with NSR (n, stages) at resolutions (n,)."""
        rows = np.atleast_2d(np.asarray(nsr, np.float64))
        groups = np.zeros(len(rows), np.int64) if resolution is None else np.asarray(resolution, np.int64)
        line = _Line(self.intercept, np.array(self.slopes), np.array(self.offsets))
        return np.clip(line.at(rows, groups), 0.0, 1.0)

    @property
    def warning(self) -> str | None:
        """One line if a baseline ranks at least as well as the predictor, on held-out nets where there are enough."""
        tau, rivals = self.kendall_tau_pairs, self.baselines
        where = f"{self.n_fit} networks, leaving pairs out"
        if self.n_heldout >= ENOUGH_HELDOUT and self.kendall_tau_heldout is not None:
            tau, rivals = self.kendall_tau_heldout, self.baselines_heldout
            where = f"{self.n_heldout} held-out networks"
        better = [f"{name} ({rival:.2f})" for name, rival in rivals.items() if rival >= tau]
        if not better:
            return None
        return (
            f"the accuracy predictor (Kendall tau {tau:.2f} on {where}) ranks no better than {', '.join(better)}; "
            "finetune more networks for it or enlarge the validation split"
        )

    def summary(self) -> dict[str, object]:
        """The `predictor` entry of a run's summary."""
        return {
            "kendall_tau": self.kendall_tau_loo,
            "kendall_tau_pairs": self.kendall_tau_pairs,
            "kendall_tau_heldout": self.kendall_tau_heldout,
            "loo_mse": self.loo_mse,
            "n_fit": self.n_fit,
            "n_heldout": self.n_heldout,
            "baselines": self.baselines,
            "warning": self.warning,
        }

    def save(self, path: Path) -> None:
        """Write as JSON."""
        path.write_text(self.model_dump_json(indent=2) + "\n")

    @classmethod
    def load(cls, path: Path) -> AccuracyPredictor:
        """Read what `save` wrote.

        Raises:
            ConfigError: missing or malformed file.
        """
        try:
            return cls.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise ConfigError(f"{path}: not an accuracy predictor ({str(error).splitlines()[0]})") from error


def fit(nets: Nets, n_resolutions: int = 1, held_out: Nets | None = None) -> AccuracyPredictor:
    """Fit a predictor to `nets`; `held_out` is only judged on.

    Raises:
        ConfigError: fewer than MIN_NETS networks.
    """
    if len(nets.nsr) < MIN_NETS:
        raise ConfigError(f"the accuracy predictor needs at least {MIN_NETS} finetuned networks, found {len(nets.nsr)}")
    ridge = _best_ridge(nets, n_resolutions)
    line = _Problem(nets, n_resolutions).solve(ridge)
    predicted = leave_one_out(nets, n_resolutions)
    predictor = AccuracyPredictor(
        intercept=line.intercept,
        slopes=tuple(line.slopes.tolist()),
        offsets=tuple(line.offsets.tolist()),
        ridge=ridge,
        n_fit=len(nets.nsr),
        loo_mse=float(np.mean((predicted - nets.accuracy) ** 2)),
        kendall_tau_loo=kendall_tau(predicted, nets.accuracy),
        kendall_tau_pairs=leave_pair_out(nets, n_resolutions),
        baselines=_baseline_taus(nets),
    )
    if held_out is None:
        return predictor
    judged = {
        "n_heldout": len(held_out.nsr),
        "kendall_tau_heldout": kendall_tau(line.predict(held_out), held_out.accuracy),
        "baselines_heldout": _baseline_taus(held_out),
    }
    return predictor.model_copy(update=judged)


def leave_one_out(nets: Nets, n_resolutions: int = 1) -> Floats:
    """Accuracy of each net predicted from the others alone; they choose the ridge too, else it would peek."""
    everyone = range(len(nets.nsr))
    return np.array([_predict_without(nets, n_resolutions, [index])[0] for index in everyone])


def leave_pair_out(nets: Nets, n_resolutions: int = 1) -> float:
    """Kendall tau over pairs, each ordered by a predictor fitted to all other nets.

    Ranking all leave-one-out predictions is biased downwards, by 0.05 to 0.1 with a dozen nets: each fit lacks its
    own net, which lowers the prediction of the best and raises that of the worst. Ordering two nets by one fit is not
    (Airola et al., Computational Statistics and Data Analysis 55, 2011), so it compares fairly with the tau of a
    baseline, which has no fit.
    """
    agreement, untied = 0.0, 0
    for pair in itertools.combinations(range(len(nets.nsr)), 2):
        sign = np.sign(nets.accuracy[pair[0]] - nets.accuracy[pair[1]])
        if sign:
            first, second = _predict_without(nets, n_resolutions, list(pair))
            agreement += float(sign * np.sign(first - second))
            untied += 1
    return agreement / untied if untied else 0.0


def _predict_without(nets: Nets, n_resolutions: int, left_out: list[int]) -> Floats:
    keep = np.ones(len(nets.nsr), bool)
    keep[left_out] = False
    rest = nets.rows(keep)
    line = _Problem(rest, n_resolutions).solve(_best_ridge(rest, n_resolutions))
    return line.predict(nets.rows(~keep))


def _baseline_taus(nets: Nets) -> dict[str, float]:
    scores = {"sum_nsr": -nets.nsr.sum(axis=1), **nets.baselines}
    return {name: kendall_tau(score, nets.accuracy) for name, score in scores.items()}


def _best_ridge(nets: Nets, n_resolutions: int) -> float:
    """The largest ridge whose leave-one-out errors are not significantly above the smallest's.

    That is the one-standard-error rule (Hastie, Tibshirani, Friedman, The Elements of Statistical Learning, 7.10)
    with the standard error of the paired difference: a doubt is settled towards the plain sum.
    """
    alone = np.eye(len(nets.nsr), dtype=bool)
    errors = np.array([_squared_misses(nets.rows(~one), nets.rows(one), n_resolutions) for one in alone])
    excess = errors - errors[:, [errors.mean(axis=0).argmin()]]
    tolerated = excess.std(axis=0, ddof=1) / np.sqrt(len(errors))
    return max(ridge for ridge, fine in zip(RIDGES, excess.mean(axis=0) <= tolerated, strict=True) if fine)


def _squared_misses(rest: Nets, left_out: Nets, n_resolutions: int) -> list[float]:
    """One for each of RIDGES."""
    problem = _Problem(rest, n_resolutions)
    predicted = [problem.solve(ridge).predict(left_out)[0] for ridge in RIDGES]
    return [float((accuracy - left_out.accuracy[0]) ** 2) for accuracy in predicted]


@dataclass(frozen=True)
class _Line:
    intercept: float
    slopes: Floats  # (stages,)
    offsets: Floats  # (resolutions,)

    def at(self, nsr: Floats, resolutions: NDArray[np.int64]) -> Floats:
        accuracies: Floats = self.intercept + self.offsets[resolutions] - nsr @ self.slopes
        return accuracies

    def predict(self, nets: Nets) -> Floats:
        return self.at(nets.nsr, nets.resolutions)


class _Problem:
    """min |accuracy - predicted|^2 + ridge * scale * |slopes - their mean|^2 + |offsets|^2 over slopes >= 0.

    Intercept and offsets are free of signs: they are projected out (by QR of their columns), which leaves a
    non-negative least squares problem in the slopes.
    """

    def __init__(self, nets: Nets, n_resolutions: int) -> None:
        n, stages = nets.nsr.shape
        free = np.zeros((n + n_resolutions, 1 + n_resolutions))
        free[:n, 0] = 1.0
        free[np.arange(n), 1 + nets.resolutions] = 1.0
        free[n:, 1:] = np.eye(n_resolutions)
        basis, triangle = np.linalg.qr(free)
        columns = np.vstack([-nets.nsr, np.zeros((n_resolutions, stages))])
        target = np.concatenate([nets.accuracy, np.zeros(n_resolutions)])
        self.projected = columns - basis @ (basis.T @ columns)
        self.wanted = np.concatenate([target - basis @ (basis.T @ target), np.zeros(stages)])
        self.free_of_target = np.linalg.solve(triangle, basis.T @ target)
        self.free_of_slopes = np.linalg.solve(triangle, basis.T @ columns)
        self.scale = n * float(nets.nsr.var(axis=0).mean())
        self.differences = np.eye(stages) - 1.0 / stages

    def solve(self, ridge: float) -> _Line:
        from scipy.optimize import nnls

        shrinkage = np.sqrt(ridge * self.scale) * self.differences
        slopes, _ = nnls(np.concatenate([self.projected, shrinkage]), self.wanted)
        free = self.free_of_target - self.free_of_slopes @ slopes
        return _Line(float(free[0]), slopes, free[1:])
