from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinynas.errors import ConfigError
from tinynas.predict.kendall import kendall_tau
from tinynas.predict.choose import RIDGES
from tinynas.predict.nets import Floats, Nets
from tinynas.predict.quality import AccuracyPredictor, fit, leave_one_out, leave_pairs_out

N_FIT = 14
N_JUDGE = 200


@dataclass(frozen=True)
class World:
    """Simulated experiment: 14 nets with noisy accuracies to fit, 200 with the true ones to judge by."""

    fitted: Nets
    judged: Nets


def world(seed: int, noise: float, slope_spread: float) -> World:
    """Four stages whose slopes differ by a factor exp(`slope_spread`); `noise` is a measured accuracy's deviation."""
    rng = np.random.default_rng(seed)
    slopes = 0.08 * np.exp(rng.normal(0, slope_spread, 4))
    scales = 0.5 * np.exp(rng.normal(0, 0.5, 4))
    nsr = rng.uniform(0.05, 1, (N_FIT + N_JUDGE, 4)) * scales
    accuracy = 0.9 - nsr @ slopes
    noisy = accuracy[:N_FIT] + rng.normal(0, noise, N_FIT)
    return World(Nets(nsr[:N_FIT], noisy), Nets(nsr[N_FIT:], accuracy[N_FIT:]))


def plain_ridge(nets: Nets, nsr: Floats) -> tuple[Floats, Floats]:
    """scikit-learn's ridge, its strength chosen by leave-one-out: predictions of `nsr`, coefficients."""
    from sklearn.linear_model import RidgeCV

    model = RidgeCV(alphas=np.logspace(-4, 2, 13)).fit(nets.nsr, nets.accuracy)
    return model.predict(nsr), model.coef_


@pytest.mark.parametrize(
    ("noise", "slope_spread", "margin"),
    [(0.01, 0.3, 0.0), (0.025, 0.3, 0.05), (0.04, 0.3, 0.1)],
)
def test_beats_plain_ridge_with_fourteen_nets(noise: float, slope_spread: float, margin: float) -> None:
    """Mean Kendall tau over 8 worlds; the noisier the accuracies, the more the prior knowledge is worth."""
    gains, inverted = [], 0
    for seed in range(4):
        case = world(seed, noise, slope_spread)
        ours = fit(case.fitted, held_out=case.judged)
        ridge, coefficients = plain_ridge(case.fitted, case.judged.nsr)
        assert ours.kendall_tau_heldout is not None
        assert min(ours.surface.slopes) >= 0
        inverted += bool((coefficients > 0).any())
        gains.append(ours.kendall_tau_heldout - kendall_tau(ridge, case.judged.accuracy))
    assert np.mean(gains) > margin
    assert inverted > 0  # of plain ridge: in such worlds signs do flip, so the constraint matters


def test_beats_the_plain_sum_where_blocks_differ() -> None:
    gains = []
    for seed in range(6):
        found = fit(world(seed, 0.01, 1.0).fitted, held_out=world(seed, 0.01, 1.0).judged)
        assert found.kendall_tau_heldout is not None
        gains.append(found.kendall_tau_heldout - found.baselines_heldout["sum_nsr"])
    assert np.mean(gains) > 0.1


@given(st.integers(0, 10_000), st.integers(4, 8), st.integers(1, 6))
@settings(max_examples=15, deadline=None)
def test_more_noise_never_predicts_more_accuracy(seed: int, n: int, stages: int) -> None:
    """Whatever the data say, even if accuracy rises with NSR in them."""
    rng = np.random.default_rng(seed)
    nets = Nets(rng.uniform(0, 2, (n, stages)), rng.uniform(0, 1, n), rng.integers(0, 2, n))
    predictor = fit(nets, n_resolutions=2)
    worse = nets.nsr + rng.uniform(0, 1, (n, stages))
    assert np.all(predictor.predict(worse, nets.resolution) <= predictor.predict(nets.nsr, nets.resolution))


def test_recovers_noiseless_slopes_and_offsets() -> None:
    rng = np.random.default_rng(0)
    nsr, resolution = rng.uniform(0, 1, (400, 3)), rng.integers(0, 2, 400)
    accuracy = 0.9 - nsr @ np.array([0.1, 0.0, 0.3]) - 0.05 * resolution
    predictor = fit(Nets(nsr[::20], accuracy[::20], resolution[::20]), n_resolutions=2)
    np.testing.assert_allclose(predictor.predict(nsr, resolution), accuracy, atol=8e-3)
    assert predictor.kendall_tau_loo > 0.97


def test_doubt_is_settled_towards_the_plain_sum() -> None:
    """Blocks that count alike under heavy noise: most fits choose a ridge that leaves the sum's order alone."""
    ridges = [fit(world(seed, 0.04, 0.0).fitted).ridges["slopes"] for seed in range(7)]
    assert np.median(ridges) == RIDGES[-1]


def test_leave_one_out_does_not_see_the_one() -> None:
    nets = world(1, 0.02, 0.5).fitted
    changed = nets.accuracy.copy()
    changed[5] = 0.0
    assert leave_one_out(nets)[5] == leave_one_out(Nets(nets.nsr, changed))[5]


def test_ordering_pairs_is_not_biased_where_pooled_leave_one_out_is() -> None:
    """Without any signal, tau is 0 on average; pooled leave-one-out predictions come out in reverse."""
    rng = np.random.default_rng(0)
    pooled, pairs = [], []
    for _ in range(10):
        nets = Nets(rng.uniform(0, 1, (8, 2)), rng.normal(0.8, 0.02, 8))
        pooled.append(kendall_tau(leave_one_out(nets), nets.accuracy))
        pairs.append(leave_pairs_out(nets))
    assert np.mean(pooled) < -0.2
    assert abs(np.mean(pairs)) < 0.2


def test_report_and_warning() -> None:
    case = world(0, 0.02, 0.3)
    perfect = Nets(case.fitted.nsr, case.fitted.accuracy, None, {"zero_shot": case.fitted.accuracy})
    predictor = fit(perfect)
    assert predictor.baselines["zero_shot"] == pytest.approx(1.0)
    assert predictor.warning is not None
    assert "zero_shot (1.00)" in predictor.warning
    assert predictor.summary()["kendall_tau"] == predictor.kendall_tau_loo
    assert "leaving pairs out" in predictor.warning
    held_out = Nets(case.judged.nsr, case.judged.accuracy, None, {"macs": -case.judged.accuracy})
    judged = fit(world(0, 0.001, 1.0).fitted, held_out=held_out)
    assert judged.n_heldout == N_JUDGE
    assert judged.baselines_heldout["macs"] == pytest.approx(-1.0)
    assert judged.summary()["kendall_tau_heldout"] == judged.kendall_tau_heldout


def test_json_round_trip(tmp_path: Path) -> None:
    predictor = fit(world(2, 0.02, 0.3).fitted)
    predictor.save(tmp_path / "predictor.json")
    assert AccuracyPredictor.load(tmp_path / "predictor.json") == predictor
    (tmp_path / "predictor.json").write_text('{"intercept": 1}')
    with pytest.raises(ConfigError, match="not an accuracy predictor"):
        AccuracyPredictor.load(tmp_path / "predictor.json")


def test_bad_input_is_named() -> None:
    nets = world(0, 0.02, 0.3).fitted
    with pytest.raises(ConfigError, match="at least 4 finetuned networks, found 3"):
        fit(nets.rows(np.arange(N_FIT) < 3))
    with pytest.raises(ConfigError, match="one entry per row"):
        Nets(nets.nsr, nets.accuracy[1:])
    with pytest.raises(ConfigError, match="finite"):
        Nets(nets.nsr, nets.accuracy * np.nan)
