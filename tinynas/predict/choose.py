"""Which models the accuracy predictor is made of, and in what shares: leave-one-out decides.

No model is picked: with two dozen noisy networks the best of many is best by luck. All are averaged, each with the
weight that its leave-one-out errors give it (as pseudo-Bayes factors do: Geisser and Eddy, Journal of the American
Statistical Association 74, 1979), less something for its size: a doubt is settled towards the plain sum. Since all are
formulas of one shape, so is their average.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinynas.predict.nets import Floats, Nets
from tinynas.predict.shrunk import Basis, Model, Problem
from tinynas.predict.surface import Surface, average

RIDGES = (0.03, 0.3, 1.0, 3.0, 1e6)  # the last is "only the sum counts"
_COARSE = (0.3, 1e6)
_BENDS = (0.03, 0.3, 3.0)
_GAIN_RIDGES = (0.03, 0.1, 0.3)
_NEGLIGIBLE = 0.01  # of all weights
_DOUBT = 0.5  # per effective coefficient, off the logarithm of a model's weight: leave-one-out is noisy itself


@dataclass(frozen=True)
class Weighed:
    """A model and its share of the average."""

    model: Model
    weight: float


def models(gains: Sequence[str]) -> tuple[Model, ...]:
    """All that are tried: linear and second-order in the NSR, without and with some or all of the gains."""
    linear = [Model(ridge) for ridge in RIDGES]
    second = [Model(ridge, bend) for ridge, bend in itertools.product(_COARSE, _BENDS)]
    sets = [names for count in range(1, len(gains) + 1) for names in itertools.combinations(gains, count)]
    helped = [Model(ridge, None, names, gain) for names, ridge, gain in itertools.product(sets, _COARSE, _GAIN_RIDGES)]
    both = [Model(ridge, bend, names, 0.1) for names, ridge, bend in itertools.product(sets, _COARSE, _BENDS)]
    return (*linear, *second, *helped, *both)


def fitted(nets: Nets, n_resolutions: int) -> tuple[Surface, list[Weighed]]:
    """The average of all models that count, fitted to `nets`, and what it is made of, the weightiest first."""
    tried, errors, size, surfaces = _judged(nets, n_resolutions)
    log_weight = -len(nets) / 2 * np.log(np.maximum(errors.mean(axis=0), 1e-12)) - _DOUBT * np.array(size)
    likelihood = np.exp(log_weight - log_weight.max())
    weights = np.where(likelihood < _NEGLIGIBLE * likelihood.sum(), 0.0, likelihood)
    weights /= weights.sum()
    counting = sorted(np.flatnonzero(weights).tolist(), key=lambda index: -float(weights[index]))
    kept = [Weighed(tried[index], float(weights[index])) for index in counting]
    return average([surfaces[index] for index in counting], [each.weight for each in kept]), kept


def _judged(nets: Nets, n_resolutions: int) -> tuple[list[Model], Floats, list[float], list[Surface]]:
    """All models, their squared leave-one-out errors (n, models), their sizes, and each fitted to all of `nets`."""
    tried: list[Model] = []
    errors: list[Floats] = []
    size: list[float] = []
    surfaces: list[Surface] = []
    everything = sorted(models(tuple(nets.gains)), key=lambda model: (model.order, model.gains))
    for (order, gains), group in itertools.groupby(everything, key=lambda model: (model.order, model.gains)):
        alike = list(group)
        basis = Basis(nets, order, gains)
        columns = basis.columns(nets)
        whole = Problem(basis, nets, columns, n_resolutions)
        tried += alike
        size += [whole.freedom(model) for model in alike]
        surfaces += [basis.surface(*whole.solve(model)) for model in alike]
        errors.append(_squared_misses(nets, basis, columns, n_resolutions, alike))
    return tried, np.hstack(errors), size, surfaces


def _squared_misses(nets: Nets, basis: Basis, columns: Floats, n_resolutions: int, tried: Sequence[Model]) -> Floats:
    """(n, models): of each net predicted from the others."""
    misses = np.empty((len(nets), len(tried)))
    for one, keep in enumerate(~np.eye(len(nets), dtype=bool)):
        problem = Problem(basis, nets.rows(keep), columns[keep], n_resolutions)
        for index, model in enumerate(tried):
            free, coefficients = problem.solve(model)
            guess = free[0] + free[1 + nets.resolutions[one]] - columns[one] @ coefficients
            misses[one, index] = (guess - nets.accuracy[one]) ** 2
    return misses
