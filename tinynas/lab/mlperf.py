"""MLPerf Tiny's performance and accuracy passes on a board, and the files that its runner leaves.

Rules: github.com/mlcommons/tiny, benchmark/README and runner. Performance: 5 inputs, a window of at least 10 s and 10
inferences each, the median counts. Accuracy: every file of the list, one inference each.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from tinynas.errors import DataError, LinkError
from tinynas.lab.replies import Laps
from tinynas.lab.session import BoardSession

INPUTS = 5
WINDOW_S = 10.0
ITERATIONS = 10  # at least, in a window
WARMUPS = 10
_MARGIN = 1.02  # of iterations, as one inference's time was rounded to what the clock tells
_TRIES = 5  # windows until one is long enough

Int8 = NDArray[np.int8]
OnProgress = Callable[[int, int], None]  # inputs done, inputs in all


@dataclass(frozen=True)
class Sample:
    """A file of the benchmark's list."""

    file: str
    classes: int
    label: int
    data: Int8  # the model's input


@dataclass(frozen=True)
class Window:
    """Inferences of one sample between two readings of the board's clock."""

    sample: Sample
    iterations: int
    warmups: int
    laps: Laps

    @property
    def elapsed_us(self) -> int:
        return self.laps.end_us - self.laps.start_us

    @property
    def per_second(self) -> float:
        return self.iterations / self.elapsed_us * 1e6

    @property
    def correct(self) -> bool:
        """The largest result is the labelled class's."""
        return int(np.argmax(self.laps.results)) == self.sample.label


@dataclass(frozen=True)
class Performance:
    """What counts of a performance pass."""

    windows: tuple[Window, ...]
    window_s: float  # wanted

    @property
    def per_second(self) -> float:
        return statistics.median(window.per_second for window in self.windows)

    @property
    def latency_us(self) -> float:
        return 1e6 / self.per_second

    @property
    def by_the_rules(self) -> bool:
        """As many inputs, and as long, as a result that is submitted needs."""
        long_enough = all(w.elapsed_us >= WINDOW_S * 1e6 and w.iterations >= ITERATIONS for w in self.windows)
        return len(self.windows) == INPUTS and long_enough


@dataclass(frozen=True)
class Accuracy:
    """What counts of an accuracy pass."""

    windows: tuple[Window, ...]

    @property
    def top1(self) -> float:
        """Fraction of 1."""
        return sum(window.correct for window in self.windows) / len(self.windows)

    @property
    def auc(self) -> float | None:
        """Area under the ROC curve of each class against the others, averaged; None where a class has no sample."""
        labels = np.array([window.sample.label for window in self.windows])
        scores = np.array([window.laps.results for window in self.windows])
        areas = [_auc(scores[:, k], labels == k) for k in range(scores.shape[1])]
        return None if None in areas else float(np.mean([area for area in areas if area is not None]))


def performance(
    session: BoardSession,
    samples: Sequence[Sample],
    window_s: float = WINDOW_S,
    on_progress: OnProgress = lambda done, total: None,
) -> Performance:
    """Times the first INPUTS of `samples`, loaded as the benchmark's runner does it.

    Raises:
        DataError: fewer samples.
        LinkError: the board fails, or its clock does not reach `window_s`.
    """
    if len(samples) < INPUTS:
        raise DataError(f"the performance pass wants {INPUTS} inputs, the data has {len(samples)}")
    windows = []
    for sample in samples[:INPUTS]:
        session.load_hex(sample.data.tobytes())
        windows.append(_window(session, sample, window_s))
        on_progress(len(windows), INPUTS)
    return Performance(tuple(windows), window_s)


def accuracy(
    session: BoardSession, samples: Sequence[Sample], on_progress: OnProgress = lambda done, total: None
) -> Accuracy:
    """One inference of every sample; loaded the fast way, as a thousand images take hours by the benchmark's.

    Raises:
        DataError: no samples.
        LinkError: the board fails.
    """
    if not samples:
        raise DataError("the accuracy pass wants at least one input, the data has none")
    windows = []
    for sample in samples:
        session.load([sample.data])
        windows.append(Window(sample, 1, 0, session.infer_many(1)))
        on_progress(len(windows), len(samples))
    return Accuracy(tuple(windows))


def _window(session: BoardSession, sample: Sample, window_s: float) -> Window:
    """A window of at least `window_s` by the board's clock; shorter ones tell how many inferences it takes."""
    iterations, warmups = ITERATIONS, WARMUPS
    for _ in range(_TRIES):
        window = Window(sample, iterations, warmups, session.infer_many(iterations, warmups))
        if window.elapsed_us >= window_s * 1e6:
            return window
        one_us = max(window.elapsed_us, 1) / iterations
        iterations, warmups = math.ceil(window_s * 1e6 / one_us * _MARGIN), 0
    raise LinkError(
        f"{session.board.name}: {window.iterations} inferences took {window.elapsed_us} us by the board's clock, "
        f"wanted {window_s:g} s: does its clock run?"
    )


def _auc(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> float | None:
    """By ranks (Mann and Whitney's U); equal scores count half."""
    n_positive = int(positive.sum())
    n_negative = len(positive) - n_positive
    if not n_positive or not n_negative:
        return None
    rank_sum = float(rankdata(scores)[positive].sum())
    return (rank_sum - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative)
