"""Once-for-All's accuracy predictor (arXiv 1908.09791 section 3.4): a multilayer perceptron on one-hot archs."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, NonNegativeFloat, PositiveFloat, PositiveInt

from tinynas.data.arrays import load_arrays, save_arrays
from tinynas.errors import ModelError
from tinynas.predict.kendall import kendall_tau
from tinynas.space.elastic import ElasticSpace
from tinynas.space.space import Arch

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

Floats = NDArray[np.float32]

_SCALE = "mean_and_spread"  # key beside the weights
_BETAS, _TINY = (0.9, 0.999), 1e-8  # of Adam
_HIDDEN_LAYERS = 3


class MlpConfig(BaseModel, frozen=True, extra="forbid"):
    """The network, and how it is trained: Adam on shuffled batches, as the authors advise."""

    hidden: PositiveInt = 400  # units in each of the three hidden layers
    epochs: PositiveInt = 200
    batch_size: PositiveInt = 64
    lr: PositiveFloat = 1e-3
    weight_decay: NonNegativeFloat = 1e-4  # added to the gradients
    ensemble: Annotated[int, Field(ge=1)] = 1  # networks whose mean is taken


def encode(space: ElasticSpace, archs: Sequence[Arch]) -> Floats:
    """Archs as one-hot rows (n, features): the resolution, then kernel and expand ratio of every slot.

    Slots beyond a stage's depth are zeros, which is how the depth shows.
    """
    return np.array([list(_one_hot(space, arch)) for arch in archs], np.float32)


def _one_hot(space: ElasticSpace, arch: Arch) -> Iterator[float]:
    genes = space.canonical(arch)
    yield from _unit(len(space.resolutions), genes[0])
    for stage, (depth, blocks) in zip(space.stages, space.stage_genes(genes), strict=True):
        for slot, (kernel, ratio) in enumerate(blocks):
            used = slot < stage.depths[depth]
            yield from _unit(len(stage.kernels), kernel if used else None)
            yield from _unit(len(stage.expand_ratios), ratio if used else None)


def _unit(size: int, place: int | None) -> list[float]:
    return [float(index == place) for index in range(size)]


@dataclass(frozen=True)
class Mlp:
    """Networks of linear layers with ReLU between them; the prediction is `mean` plus `spread` times their mean.

    So they learn accuracies of mean 0 and variance 1. (With the accuracies as they are and the mean as the output's
    bias, as the authors advise, the weight decay is too strong for fits to a few hundred subnets: Kendall tau 0.92
    against 0.94 on made-up accuracies of 240.)
    """

    members: tuple[tuple[tuple[Floats, Floats], ...], ...]  # [member][layer] -> weight (inputs, outputs), bias
    mean: float
    spread: float

    def predict(self, features: Floats) -> NDArray[np.float64]:
        """Accuracies (n,) of rows (n, features), fractions of 1."""
        with _one_thread():
            outputs = [_forward(layers, features)[-1][:, 0] for layers in self.members]
        return np.clip(self.mean + self.spread * np.mean(outputs, axis=0, dtype=np.float64), 0.0, 1.0)

    def save(self, path: Path) -> None:
        arrays: dict[str, NDArray[Any]] = {_SCALE: np.array([self.mean, self.spread])}
        for member, layers in enumerate(self.members):
            for index, (weight, bias) in enumerate(layers):
                arrays |= {f"{member}.{index}.weight": weight, f"{member}.{index}.bias": bias}
        save_arrays(path, arrays)

    @classmethod
    def load(cls, path: Path) -> Mlp:
        """The predictor in `path`. Raises ModelError if the file is none of ours."""
        arrays = load_arrays(path, ModelError, "fit the predictor again")
        try:
            mean, spread = arrays.pop(_SCALE).tolist()
            count = 1 + max(int(key.split(".")[0]) for key in arrays)
            return cls(tuple(tuple(_layers(arrays, member)) for member in range(count)), mean, spread)
        except (KeyError, ValueError) as error:
            raise ModelError(f"{path}: not an accuracy predictor ({error}); fit the predictor again") from error


def _layers(arrays: dict[str, NDArray[Any]], member: int) -> Iterator[tuple[Floats, Floats]]:
    for index in range(_HIDDEN_LAYERS + 1):
        yield arrays[f"{member}.{index}.weight"], arrays[f"{member}.{index}.bias"]


def fit_mlp(
    features: Floats,
    accuracy: NDArray[np.float64],
    config: MlpConfig,
    seed: int,
    on_epoch: Callable[[int], None] = lambda _: None,
) -> Mlp:
    """Fit to rows (n, features) and accuracies (n,), fractions of 1. One seed, one result."""
    mean, spread = float(accuracy.mean()), float(accuracy.std()) or 1.0
    targets = ((accuracy - mean) / spread).astype(np.float32)
    members = []
    for member in range(config.ensemble):
        rng = np.random.default_rng([seed, member])
        training = _Training.start(features.shape[1], config, rng)
        for epoch in range(config.epochs):
            with _one_thread():
                training.epoch(features, targets, rng, 1 - epoch / config.epochs)
            on_epoch(member * config.epochs + epoch + 1)
        members.append(training.layers)
    return Mlp(tuple(members), mean, spread)


def _one_thread() -> AbstractContextManager[object]:
    """Products of these matrices take a millisecond alone, but many where BLAS's threads wait for each other."""
    limited: AbstractContextManager[object] = _pools().limit(limits=1, user_api="blas")
    return limited


@cache
def _pools() -> ThreadpoolController:
    """What looks for the process's thread pools, which takes a while."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def _forward(layers: Sequence[tuple[Floats, Floats]], x: Floats) -> list[Floats]:
    """Input of every layer, and the output last."""
    values = [x]
    for weight, bias in layers[:-1]:
        values.append(np.maximum(values[-1] @ weight + bias, 0))
    weight, bias = layers[-1]
    return [*values, values[-1] @ weight + bias]


@dataclass
class _Training:
    """Weights and Adam's moments (Kingma and Ba, arXiv 1412.6980)."""

    config: MlpConfig
    parameters: list[Floats]  # weight and bias of each layer in turn
    first: list[Floats]
    second: list[Floats]
    step: int = 0

    @classmethod
    def start(cls, inputs: int, config: MlpConfig, rng: np.random.Generator) -> _Training:
        """He's initial weights; the output starts near 0, the mean accuracy."""
        sizes = [inputs, *[config.hidden] * _HIDDEN_LAYERS, 1]
        parameters: list[Floats] = []
        for cin, cout in itertools.pairwise(sizes):
            scale = np.sqrt(2 / cin) * (0.01 if cout == 1 else 1.0)
            parameters += [(rng.standard_normal((cin, cout)) * scale).astype(np.float32), np.zeros(cout, np.float32)]
        return cls(config, parameters, [np.zeros_like(p) for p in parameters], [np.zeros_like(p) for p in parameters])

    @property
    def layers(self) -> tuple[tuple[Floats, Floats], ...]:
        return tuple(zip(self.parameters[::2], self.parameters[1::2], strict=True))

    def epoch(self, x: Floats, y: Floats, rng: np.random.Generator, share: float) -> None:
        """One pass over the rows at `share` of the learning rate."""
        for batch in np.array_split(rng.permutation(len(x)), max(1, len(x) // self.config.batch_size)):
            self._update(self._gradients(x[batch], y[batch]), self.config.lr * share)

    def _gradients(self, x: Floats, y: Floats) -> list[Floats]:
        """Of half the mean squared error, by parameter."""
        layers = self.layers
        *values, output = _forward(layers, x)
        error = (output - y[:, None]) / np.float32(len(y))
        found: list[Floats] = []
        for (weight, _), value in zip(reversed(layers), reversed(values), strict=True):
            found = [value.T @ error, error.sum(axis=0), *found]
            error = (error @ weight.T) * (value > 0)
        return found

    def _update(self, gradients: list[Floats], lr: float) -> None:
        self.step += 1
        (b1, b2), step, decay = _BETAS, self.step, np.float32(self.config.weight_decay)
        for k, (parameter, gradient) in enumerate(zip(self.parameters, gradients, strict=True)):
            decayed = gradient + decay * parameter
            self.first[k] += (1 - b1) * (decayed - self.first[k])
            self.second[k] += (1 - b2) * (decayed**2 - self.second[k])
            mean, power = self.first[k] / (1 - b1**step), self.second[k] / (1 - b2**step)
            self.parameters[k] -= (lr * mean / (np.sqrt(power) + _TINY)).astype(np.float32)


class SubnetPredictor(BaseModel, frozen=True, extra="forbid"):
    """How well the predictor knows subnets that it was not fitted to."""

    n_fit: int
    n_heldout: int
    rmse_heldout: float  # fractions of 1
    kendall_tau_heldout: float
    baselines_heldout: dict[str, float]  # Kendall tau of other scores on the same subnets
    accuracy_std: float  # spread of the held-out accuracies: the RMSE of predicting their mean

    @property
    def warning(self) -> str | None:
        """Where another score orders the held-out subnets as well, so that there is no point in this one."""
        better = [name for name, tau in self.baselines_heldout.items() if tau >= self.kendall_tau_heldout]
        if not better:
            return None
        tau = f"{self.kendall_tau_heldout:.2f} on {self.n_heldout} held-out subnets"
        return f"Kendall tau {tau} is not above that of {', '.join(better)}; raise ofa.predictor.n_fit"

    def summary(self) -> dict[str, object]:
        """For summary.json; there is no leave-one-out, as there are enough subnets to hold some back."""
        return {
            "kendall_tau": self.kendall_tau_heldout,
            "kendall_tau_heldout": self.kendall_tau_heldout,
            "rmse_heldout": self.rmse_heldout,
            "loo_mse": None,
            "n_fit": self.n_fit,
            "n_heldout": self.n_heldout,
            "baselines": self.baselines_heldout,
            "warning": self.warning,
        }


def judged(
    guess: NDArray[np.float64], accuracy: NDArray[np.float64], baselines: dict[str, NDArray[np.float64]], n_fit: int
) -> SubnetPredictor:
    """What the guesses (n,) of n >= 2 held-out subnets' accuracies are worth."""
    return SubnetPredictor(
        n_fit=n_fit,
        n_heldout=len(accuracy),
        rmse_heldout=float(np.sqrt(np.mean((guess - accuracy) ** 2))),
        kendall_tau_heldout=kendall_tau(guess, accuracy),
        baselines_heldout={name: kendall_tau(scores, accuracy) for name, scores in baselines.items()},
        accuracy_std=float(accuracy.std()),
    )
