"""Which model the accuracy predictor uses: leave-one-out decides, and a doubt goes to the simpler one."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from tinynas.predict.nets import Floats, Nets
from tinynas.predict.shrunk import Basis, Model, Problem

RIDGES = (0.0, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 1e6)  # the last is "only the sum counts"
_COARSE = (0.1, 1.0, 1e6)
_BENDS = (0.3, 3.0)
_GAIN_RIDGES = (0.1, 1.0)


def models(gains: Sequence[str]) -> tuple[Model, ...]:
    """All that are tried: the linear ones, those of second order, each also with a gain or with all of them."""
    linear = [Model(ridge) for ridge in RIDGES]
    second = [Model(ridge, bend) for ridge, bend in itertools.product(_COARSE, _BENDS)]
    sets = [(name,) for name in gains] + ([tuple(gains)] if len(gains) > 1 else [])
    helped = [Model(ridge, None, names, gain) for names, ridge, gain in itertools.product(sets, _COARSE, _GAIN_RIDGES)]
    return (*linear, *second, *helped)


def best_model(nets: Nets, n_resolutions: int) -> Model:
    """The simplest model whose leave-one-out errors are not significantly above the smallest's.

    That is the one-standard-error rule (Hastie, Tibshirani, Friedman, The Elements of Statistical Learning, 7.10)
    with the standard error of the paired difference; simplest is that of the fewest effective coefficients.
    """
    tried, errors, size = _judged(nets, n_resolutions)
    excess = errors - errors[:, [errors.mean(axis=0).argmin()]]
    tolerated = excess.std(axis=0, ddof=1) / np.sqrt(len(errors))
    fine = [index for index in range(len(tried)) if excess[:, index].mean() <= tolerated[index]]
    return tried[min(fine, key=lambda index: size[index])]


def _judged(nets: Nets, n_resolutions: int) -> tuple[list[Model], Floats, list[float]]:
    """All models, their squared leave-one-out errors (n, models), and how many free numbers each amounts to."""
    tried: list[Model] = []
    errors: list[Floats] = []
    size: list[float] = []
    groups = itertools.groupby(models(tuple(nets.gains)), key=lambda model: (model.order, model.gains))
    for (order, gains), group in groups:
        alike = list(group)
        basis = Basis(nets, order, gains)
        columns = basis.columns(nets)
        whole = Problem(basis, nets, columns, n_resolutions)
        tried += alike
        size += [whole.freedom(model) for model in alike]
        errors.append(_squared_misses(nets, basis, columns, n_resolutions, alike))
    return tried, np.hstack(errors), size


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
