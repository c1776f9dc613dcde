"""DONNA's accuracy predictor (arXiv 2012.08859 section 3.3), made to work with a dozen finetuned networks.

The paper fits accuracy = c + a.P + P'BP by linear regression, P being the noise-to-signal ratios (NSR) of a net's
blocks. With so few nets a free fit ranks worse than the plain sum of P. What is known beforehand mends that: signs,
shrinkage towards the sum, later blocks' interactions (`predict.shrunk`). How much each of many models counts is decided
by leave-one-out inside the fitted networks (`predict.choose`); figures of merit repeat that without the networks that
they are about, so that nothing peeks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from tinynas.errors import ConfigError
from tinynas.predict.choose import Weighed, fitted
from tinynas.predict.kendall import kendall_tau
from tinynas.predict.nets import Floats, Nets
from tinynas.predict.noise import Ceiling
from tinynas.predict.surface import Surface

ENOUGH_HELDOUT = 10  # a Kendall tau of fewer nets is mostly chance
MIN_NETS = 4  # an intercept, a slope, and something left to leave out and to judge by
_SPLITS = 6  # of the nets into groups whose pairs are ordered by the rest


class AccuracyPredictor(BaseModel, frozen=True, extra="forbid"):
    """The fitted formula, and how well it did."""

    surface: Surface
    models: dict[str, float]  # classes of models in words, and their share in the formula
    n_fit: int
    loo_mse: float  # of leave-one-out predictions, each with its own choice of model; accuracy as fractions of 1
    kendall_tau_loo: float  # of the same predictions; biased downwards, see `leave_pairs_out`
    kendall_tau_pairs: float  # pairs of nets ordered by a fit to others
    baselines: dict[str, float]  # Kendall tau of each baseline on the fitted nets, "sum_nsr" among them
    n_heldout: int = 0
    kendall_tau_heldout: float | None = None
    heldout_mse: float | None = None
    baselines_heldout: dict[str, float] = {}
    ceiling: Ceiling | None = None  # of Kendall's tau, for the noise of the accuracies that it is judged by

    @property
    def needs(self) -> tuple[str, ...]:
        """Gains that `predict` has to be given, beside the NSR."""
        return self.surface.needs

    def predict(
        self,
        nsr: Floats,
        resolution: NDArray[np.int64] | Sequence[int] | None = None,
        gains: Mapping[str, Floats] | None = None,
    ) -> Floats:
        """Accuracies (n,) of networks with NSR (n, stages) at resolutions (n,); `gains` hold at least `needs`."""
        rows = np.atleast_2d(np.asarray(nsr, np.float64))
        groups = None if resolution is None else np.asarray(resolution, np.int64)
        return self.predict_nets(Nets(rows, np.zeros(len(rows)), groups, {}, gains or {}))

    def predict_nets(self, nets: Nets) -> Floats:
        """The same of `nets`, whose accuracies are not looked at.

        Raises:
            ConfigError: `nets` lack a gain that the predictor was fitted with.
        """
        if missing := set(self.needs) - set(nets.gains):
            raise ConfigError(
                f"the accuracy predictor needs {', '.join(sorted(missing))} of every network, found "
                f"{', '.join(sorted(nets.gains)) or 'nothing'}; it was fitted to other features: fit it again"
            )
        return np.clip(self.surface.at(nets), 0.0, 1.0)

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
            "heldout_mse": self.heldout_mse,
            "n_fit": self.n_fit,
            "n_heldout": self.n_heldout,
            "models": self.models,
            "baselines": self.baselines,
            "baselines_heldout": self.baselines_heldout,
            "noise_ceiling_tau": None if self.ceiling is None else self.ceiling.tau,
            "noise": None if self.ceiling is None else self.ceiling.model_dump(),
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


def fit(
    nets: Nets, n_resolutions: int = 1, held_out: Nets | None = None, ceiling: Ceiling | None = None
) -> AccuracyPredictor:
    """Fit a predictor to `nets`; `held_out` is only judged on, `ceiling` only passed on.

    Raises:
        ConfigError: fewer than MIN_NETS networks.
    """
    if len(nets) < MIN_NETS:
        raise ConfigError(f"the accuracy predictor needs at least {MIN_NETS} finetuned networks, found {len(nets)}")
    surface, parts = fitted(nets, n_resolutions)
    predicted = leave_one_out(nets, n_resolutions)
    predictor = AccuracyPredictor(
        surface=surface,
        models=_shares(parts),
        n_fit=len(nets),
        loo_mse=float(np.mean((predicted - nets.accuracy) ** 2)),
        kendall_tau_loo=kendall_tau(predicted, nets.accuracy),
        kendall_tau_pairs=leave_pairs_out(nets, n_resolutions),
        baselines=_baseline_taus(nets),
        ceiling=ceiling,
    )
    return predictor if held_out is None else predictor.model_copy(update=_judged(predictor, held_out))


def _shares(parts: Sequence[Weighed]) -> dict[str, float]:
    """Of each class, whatever its ridges."""
    shares: dict[str, float] = {}
    for part in parts:
        shares[str(part.model)] = shares.get(str(part.model), 0.0) + part.weight
    return shares


def _judged(predictor: AccuracyPredictor, held_out: Nets) -> dict[str, object]:
    guesses = predictor.surface.at(held_out)
    return {
        "n_heldout": len(held_out),
        "kendall_tau_heldout": kendall_tau(guesses, held_out.accuracy),
        "heldout_mse": float(np.mean((guesses - held_out.accuracy) ** 2)),
        "baselines_heldout": _baseline_taus(held_out),
    }


def leave_one_out(nets: Nets, n_resolutions: int = 1) -> Floats:
    """Accuracy of each net predicted from the others alone; they choose the model too, else it would peek."""
    return np.array([_predict_without(nets, n_resolutions, [index])[0] for index in range(len(nets))])


def leave_pairs_out(nets: Nets, n_resolutions: int = 1) -> float:
    """Kendall tau over pairs, each ordered by a predictor fitted to other nets alone.

    Ranking all leave-one-out predictions is biased downwards, by 0.05 to 0.1 with a dozen nets: each fit lacks its
    own net, which lowers the prediction of the best and raises that of the worst. Ordering two nets by one fit is not
    (Airola et al., Computational Statistics and Data Analysis 55, 2011), so it compares fairly with the tau of a
    baseline, which has no fit. All pairs are too many: the nets are split into small groups, several times, always
    alike, and the pairs within a group are ordered by a fit to the other groups.
    """
    rng = np.random.default_rng(0)
    size = max(2, len(nets) // _SPLITS)
    agreement, untied = 0.0, 0
    for _ in range(_SPLITS):
        order = rng.permutation(len(nets))
        for start in range(0, len(nets) - 1, size):
            group = order[start : start + size]
            guess, truth = _predict_without(nets, n_resolutions, group.tolist()), nets.accuracy[np.sort(group)]
            signs = np.sign(truth[:, None] - truth)
            agreement += float((signs * np.sign(guess[:, None] - guess)).sum()) / 2
            untied += int(np.abs(signs).sum()) // 2
    return agreement / untied if untied else 0.0


def _predict_without(nets: Nets, n_resolutions: int, left_out: list[int]) -> Floats:
    """Of the nets left out, in ascending order of their index."""
    keep = np.ones(len(nets), bool)
    keep[left_out] = False
    rest = nets.rows(keep)
    return fitted(rest, n_resolutions)[0].at(nets.rows(~keep))


def _baseline_taus(nets: Nets) -> dict[str, float]:
    scores = {"sum_nsr": -nets.nsr.sum(axis=1), **nets.baselines}
    return {name: kendall_tau(score, nets.accuracy) for name, score in scores.items()}
