"""DONNA's accuracy predictor (arXiv 2012.08859 section 3.3), made to work with a dozen finetuned networks.

The paper fits accuracy = c + a.P + P'BP by linear regression, P being the noise-to-signal ratios (NSR) of a net's
blocks. With so few nets a free fit ranks worse than the plain sum of P. What is known beforehand mends that:

- accuracy falls with the NSR of every block, so no slope may be positive (non-negative least squares);
- the plain sum ranks well, so the slopes are shrunk towards each other: ridge on their differences from their mean.
  Infinite ridge is the plain sum, none is free but for the signs; leave-one-out picks;
- a resolution's offset is worth one pseudo-observation of 0, as it is confounded with the NSR measured there.
"""

from __future__ import annotations

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
RIDGES = (0.0, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 1e6)
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
    kendall_tau_loo: float  # of the same predictions
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
        """One line if a baseline ranks at least as well as the predictor, on held-out nets where there are any."""
        held_out = self.kendall_tau_heldout is not None
        tau = self.kendall_tau_heldout if self.kendall_tau_heldout is not None else self.kendall_tau_loo
        rivals = self.baselines_heldout if held_out else self.baselines
        better = [f"{name} ({rival:.2f})" for name, rival in rivals.items() if rival >= tau]
        if not better:
            return None
        where = f"{self.n_heldout} held-out networks" if held_out else f"{self.n_fit} networks, leave-one-out"
        return (
            f"the accuracy predictor (Kendall tau {tau:.2f} on {where}) ranks no better than {', '.join(better)}; "
            "finetune more networks for it or enlarge the validation split"
        )

    def summary(self) -> dict[str, object]:
        """The `predictor` entry of a run's summary."""
        return {
            "kendall_tau": self.kendall_tau_loo,
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
    line = _solve(nets, n_resolutions, ridge)
    predicted = leave_one_out(nets, n_resolutions)
    predictor = AccuracyPredictor(
        intercept=line.intercept,
        slopes=tuple(line.slopes.tolist()),
        offsets=tuple(line.offsets.tolist()),
        ridge=ridge,
        n_fit=len(nets.nsr),
        loo_mse=float(np.mean((predicted - nets.accuracy) ** 2)),
        kendall_tau_loo=kendall_tau(predicted, nets.accuracy),
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
    return np.array(
        [
            _solve(rest, n_resolutions, _best_ridge(rest, n_resolutions)).predict(left_out)[0]
            for rest, left_out in _splits(nets)
        ]
    )


def _baseline_taus(nets: Nets) -> dict[str, float]:
    scores = {"sum_nsr": -nets.nsr.sum(axis=1), **nets.baselines}
    return {name: kendall_tau(score, nets.accuracy) for name, score in scores.items()}


def _splits(nets: Nets) -> list[tuple[Nets, Nets]]:
    """(all but one, that one), for each network."""
    alone = np.eye(len(nets.nsr), dtype=bool)
    return [(nets.rows(~mask), nets.rows(mask)) for mask in alone]


def _best_ridge(nets: Nets, n_resolutions: int) -> float:
    """The largest ridge whose leave-one-out errors are not significantly above the smallest's.

    That is the one-standard-error rule (Hastie, Tibshirani, Friedman, The Elements of Statistical Learning, 7.10)
    with the standard error of the paired difference: a doubt is settled towards the plain sum.
    """
    splits = _splits(nets)
    errors = np.array([[_squared_miss(split, n_resolutions, ridge) for split in splits] for ridge in RIDGES])
    excess = errors - errors[errors.mean(axis=1).argmin()]
    tolerated = excess.std(axis=1, ddof=1) / np.sqrt(len(splits))
    return max(ridge for ridge, fine in zip(RIDGES, excess.mean(axis=1) <= tolerated, strict=True) if fine)


def _squared_miss(split: tuple[Nets, Nets], n_resolutions: int, ridge: float) -> float:
    rest, left_out = split
    return float((_solve(rest, n_resolutions, ridge).predict(left_out)[0] - left_out.accuracy[0]) ** 2)


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


def _solve(nets: Nets, n_resolutions: int, ridge: float) -> _Line:
    """min |accuracy - predicted|^2 + ridge * scale * |slopes - their mean|^2 + |offsets|^2 over slopes >= 0.

    Intercept and offsets are free of signs: they are projected out (by QR of their columns), which leaves a
    non-negative least squares problem in the slopes.
    """
    from scipy.optimize import nnls

    n, stages = nets.nsr.shape
    free = np.zeros((n + n_resolutions, 1 + n_resolutions))
    free[:n, 0] = 1.0
    free[np.arange(n), 1 + nets.resolutions] = 1.0
    free[n:, 1:] = np.eye(n_resolutions)
    basis, triangle = np.linalg.qr(free)
    slope_columns = np.vstack([-nets.nsr, np.zeros((n_resolutions, stages))])
    target = np.concatenate([nets.accuracy, np.zeros(n_resolutions)])

    scale = n * float(nets.nsr.var(axis=0).mean())
    differences = np.sqrt(ridge * scale) * (np.eye(stages) - 1.0 / stages)
    projected = np.vstack([slope_columns - basis @ (basis.T @ slope_columns), differences])
    wanted = np.concatenate([target - basis @ (basis.T @ target), np.zeros(stages)])
    slopes, _ = nnls(projected, wanted)
    rest = np.linalg.solve(triangle, basis.T @ (target - slope_columns @ slopes))
    return _Line(float(rest[0]), slopes, rest[1:])
