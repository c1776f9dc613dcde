from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinynas.errors import ConfigError
from tinynas.predict.choose import fitted
from tinynas.predict.kendall import kendall_tau
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
    for seed in range(8):
        case = world(seed, noise, slope_spread)
        surface, _ = fitted(case.fitted, 1)
        ridge, coefficients = plain_ridge(case.fitted, case.judged.nsr)
        assert min(surface.slopes) >= 0
        inverted += bool((coefficients > 0).any())
        ours = kendall_tau(surface.at(case.judged), case.judged.accuracy)
        gains.append(ours - kendall_tau(ridge, case.judged.accuracy))
    assert np.mean(gains) > margin
    assert inverted > 0  # of plain ridge: in such worlds signs do flip, so the constraint matters


def test_beats_the_plain_sum_where_blocks_differ() -> None:
    gains = []
    for seed in range(6):
        case = world(seed, 0.01, 1.0)
        ours = kendall_tau(fitted(case.fitted, 1)[0].at(case.judged), case.judged.accuracy)
        gains.append(ours - kendall_tau(-case.judged.nsr.sum(axis=1), case.judged.accuracy))
    assert np.mean(gains) > 0.1


@given(st.integers(0, 10_000), st.integers(4, 8), st.integers(1, 4))
@settings(max_examples=15, deadline=None)
def test_more_noise_never_predicts_more_accuracy(seed: int, n: int, stages: int) -> None:
    """Whatever the data say, even if accuracy rises with NSR in them; nor do larger gains predict less."""
    rng = np.random.default_rng(seed)
    gains = {"size": rng.uniform(0, 1, (n, 2))}
    nets = Nets(rng.uniform(0, 2, (n, stages)), rng.uniform(0, 1, n), rng.integers(0, 2, n), {}, gains)
    surface, _ = fitted(nets, 2)
    before = surface.at(nets)
    assert np.all(surface.at(replace(nets, nsr=nets.nsr + rng.uniform(0, 1, (n, stages)))) <= before + 1e-12)
    assert np.all(surface.at(replace(nets, gains={"size": gains["size"] + 0.5})) >= before - 1e-12)


def test_recovers_noiseless_slopes_and_offsets() -> None:
    rng = np.random.default_rng(0)
    nsr, resolution = rng.uniform(0, 1, (400, 3)), rng.integers(0, 2, 400)
    accuracy = 0.9 - nsr @ np.array([0.1, 0.0, 0.3]) - 0.05 * resolution
    predictor = fit(Nets(nsr[::20], accuracy[::20], resolution[::20]), n_resolutions=2)
    np.testing.assert_allclose(predictor.predict(nsr, resolution), accuracy, atol=8e-3)
    assert predictor.kendall_tau_loo > 0.97


def test_blocks_that_count_alike_lose_little_to_the_plain_sum() -> None:
    """Under noise twice the signal, where every freedom is a temptation; plain ridge loses more."""
    ours, ridges = [], []
    for seed in range(8):
        case = world(seed, 0.04, 0.0)
        ours.append(kendall_tau(fitted(case.fitted, 1)[0].at(case.judged), case.judged.accuracy))
        ridges.append(kendall_tau(plain_ridge(case.fitted, case.judged.nsr)[0], case.judged.accuracy))
    assert np.mean(ours) > max(0.75, float(np.mean(ridges)) + 0.1)


def test_a_curved_world_is_second_order() -> None:
    """Squares and cross terms: a formula of second order predicts them better than any linear one can."""
    rng = np.random.default_rng(0)
    nsr = rng.uniform(0, 1, (150, 2))
    accuracy = 0.9 - 0.1 * nsr[:, 1] ** 2 - 0.3 * nsr[:, 0] * nsr[:, 1]
    few, many = Nets(nsr[:30], accuracy[:30]), Nets(nsr[30:], accuracy[30:])
    surface, parts = fitted(few, 1)
    line = np.linalg.lstsq(np.column_stack([np.ones(30), nsr[:30]]), accuracy[:30], rcond=None)[0]
    straight = np.mean((np.column_stack([np.ones(120), nsr[30:]]) @ line - accuracy[30:]) ** 2)
    assert np.mean((surface.at(many) - many.accuracy) ** 2) < 0.2 * straight
    assert parts[0].model.order == 2


def test_a_gain_that_matters_is_used_and_noise_is_not() -> None:
    rng = np.random.default_rng(1)
    nsr, size, noise = rng.uniform(0, 1, (24, 3)), rng.uniform(0, 1, (24, 1)), rng.uniform(0, 1, (24, 1))
    accuracy = 0.8 - 0.02 * nsr.sum(axis=1) + 0.1 * size[:, 0]
    surface, parts = fitted(Nets(nsr, accuracy, None, {}, {"size": size, "noise": noise}), 1)
    assert "size" in parts[0].model.gains
    assert surface.weights["size"][0] == pytest.approx(0.1, rel=0.1)
    assert surface.weights.get("noise", (0.0,))[0] < 0.01


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
    assert sum(predictor.models.values()) == pytest.approx(1.0)
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


def test_a_predictor_of_other_features_says_which_it_lacks() -> None:
    rng = np.random.default_rng(0)
    gain = rng.uniform(0, 1, (12, 1))
    nets = Nets(rng.uniform(0, 1, (12, 2)), 0.5 + 0.4 * gain[:, 0], None, {}, {"older": gain})
    predictor = fit(nets)
    assert predictor.needs == ("older",)
    with pytest.raises(ConfigError, match="needs older of every network, found newer"):
        predictor.predict_nets(replace(nets, gains={"newer": gain}))
