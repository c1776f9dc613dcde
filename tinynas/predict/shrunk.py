"""Least squares with known signs and a ridge towards what is known: the fit behind the accuracy predictor.

All columns are such that accuracy falls with them, so that every coefficient is >= 0 (non-negative least squares):

- P, the NSR of each block. Ridge on the slopes' differences from their mean: infinite ridge is the plain sum;
- where the model is of second order, with p = min(P / its largest, 1): p_i p_j, which grow ever faster, and
  p_i + p_j - p_i p_j, which saturate (i = j gives the squares). Any non-negative mix falls in every P, and is P'BP with
  a linear part. Ridge towards 0, the weaker the later both blocks are: later blocks correct less of earlier errors;
- gains with their sign turned, standardised. Ridge towards 0.

Intercept and resolutions' offsets are free of signs; an offset is worth one pseudo-observation of 0, as it is
confounded with the NSR measured at that resolution.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinynas.predict.nets import Floats, Nets
from tinynas.predict.surface import Surface

_JITTER = 1e-10  # of the mean diagonal, so that a column without variance does not make the matrix singular


@dataclass(frozen=True)
class Model:
    """What a fit may use, and how much it is held back. Ridges are relative to the columns' own variance."""

    ridge: float  # on the slopes' differences
    bend: float | None = None  # ridge on the second order; None: there is none
    gains: tuple[str, ...] = ()
    gain_ridge: float = 1.0

    @property
    def order(self) -> int:
        return 1 if self.bend is None else 2

    def __str__(self) -> str:
        used = f" with {', '.join(self.gains)}" if self.gains else ""
        return f"{'linear' if self.order == 1 else 'second order'}{used}"


class Basis:
    """The columns of a model class, scaled by some networks; accuracy falls with each."""

    def __init__(self, nets: Nets, order: int, gains: Sequence[str]) -> None:
        self.order, self.gains, self.stages = order, tuple(gains), nets.nsr.shape[1]
        self.limits = np.maximum(nets.nsr.max(axis=0), 1e-12)
        self.pairs = list(itertools.combinations_with_replacement(range(self.stages), 2)) if order == 2 else []
        values = self._values(nets)
        self.widths = [nets.gains[name].shape[1] for name in self.gains]
        spread = values.std(axis=0)
        self.centre, self.unit = values.mean(axis=0), np.where(spread > 0, spread, 1.0)

    def columns(self, nets: Nets) -> Floats:
        """(n, stages + 2 pairs + gains)."""
        part = np.minimum(nets.nsr / self.limits, 1.0)
        first, second = np.array(self.pairs, int).reshape(-1, 2).T
        products, sums = part[:, first] * part[:, second], part[:, first] + part[:, second]
        return np.hstack([nets.nsr, products, sums - products, (self.centre - self._values(nets)) / self.unit])

    def _values(self, nets: Nets) -> Floats:
        """(n, numbers of all gains)."""
        return np.hstack([np.zeros((len(nets), 0)), *(nets.gains[name] for name in self.gains)])

    def surface(self, free: Floats, coefficients: Floats) -> Surface:
        """The formula that these coefficients of the columns, after `free` intercept and offsets, amount to."""
        second = self.stages + 2 * len(self.pairs)
        weights = coefficients[second:] / self.unit
        parts = np.split(weights, np.cumsum(self.widths)[:-1]) if self.widths else []
        plain = Surface(
            intercept=float(free[0] - weights @ self.centre),
            offsets=tuple(free[1:].tolist()),
            slopes=tuple(coefficients[: self.stages].tolist()),
            weights={name: tuple(part.tolist()) for name, part in zip(self.gains, parts, strict=True)},
        )
        return plain.model_copy(update=self._quadratic(coefficients[self.stages : second])) if self.pairs else plain

    def _quadratic(self, coefficients: Floats) -> dict[str, object]:
        """The second-order part as bends and a symmetric matrix."""
        growing, saturating = np.split(coefficients, 2)
        bends, matrix = np.zeros(self.stages), np.zeros((self.stages, self.stages))
        for (i, j), grow, saturate in zip(self.pairs, growing, saturating, strict=True):
            bends[i] += saturate
            bends[j] += saturate
            matrix[i, j] += (grow - saturate) / 2
            matrix[j, i] += (grow - saturate) / 2
        return {
            "limits": tuple(self.limits.tolist()),
            "bends": tuple(bends.tolist()),
            "interactions": tuple(map(tuple, matrix.tolist())),
        }


class Problem:
    """The normal equations of a basis on some networks; `solve` takes any ridges of its model class.

    Intercept and offsets are projected out by QR of their columns, which leaves a problem in non-negative numbers.
    """

    def __init__(self, basis: Basis, nets: Nets, columns: Floats, n_resolutions: int) -> None:
        self.basis = basis
        n, width = columns.shape
        free = np.zeros((n + n_resolutions, 1 + n_resolutions))
        free[:n, 0] = 1.0
        free[np.arange(n), 1 + nets.resolutions] = 1.0
        free[n:, 1:] = np.eye(n_resolutions)
        orthogonal, triangle = np.linalg.qr(free)
        padded = np.zeros((n + n_resolutions, width + 1))
        padded[:n, :width], padded[:n, width] = -columns, nets.accuracy
        inside = orthogonal.T @ padded
        left = padded - orthogonal @ inside
        self.gram, self.moment = left[:, :width].T @ left[:, :width], left[:, :width].T @ left[:, width]
        self.free = np.linalg.solve(triangle, inside)  # of the columns, and of the target last
        self.variance = n * columns.var(axis=0)

    def solve(self, model: Model) -> tuple[Floats, Floats]:
        """Intercept and offsets (1 + n_resolutions,), and the columns' coefficients."""
        from scipy.optimize import nnls

        lower = np.linalg.cholesky(self._held_back(model))
        coefficients, _ = nnls(lower.T, np.linalg.solve(lower, self.moment))
        return self.free[:, -1] - self.free[:, :-1] @ coefficients, coefficients

    def freedom(self, model: Model) -> float:
        """How many free numbers the model amounts to: trace of its hat matrix, signs left aside."""
        return float(np.trace(np.linalg.solve(self._held_back(model), self.gram)))

    def _held_back(self, model: Model) -> Floats:
        """(k, k): the Gram matrix with the ridges."""
        s, pairs = self.basis.stages, self.basis.pairs
        full: Floats = self.gram.copy()
        full[:s, :s] += model.ridge * float(self.variance[:s].mean()) * (np.eye(s) - 1.0 / s)
        lateness = [s / (1.0 + min(pair)) for pair in pairs] * 2
        ridges = np.concatenate([(model.bend or 0.0) * np.array(lateness), [model.gain_ridge] * sum(self.basis.widths)])
        at = np.arange(s, len(full))
        full[at, at] += ridges * self.variance[s:]
        every = np.arange(len(full))
        full[every, every] += _JITTER * max(float(full[every, every].mean()), 1e-20)
        return full
