"""The accuracy predictor learns what archs have in common, and says how well it does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.space.elastic_spaces import tiny_elastic
from tinynas.errors import ModelError
from tinynas.predict.kendall import kendall_tau
from tinynas.predict.mlp import Mlp, MlpConfig, encode, fit_mlp, judged
from tinynas.space.elastic import ElasticSpace
from tinynas.space.space import Arch

SMALL = MlpConfig(hidden=64, epochs=200, batch_size=32)


def archs_of(space: ElasticSpace, count: int) -> list[Arch]:
    rng = np.random.default_rng(0)
    return list(dict.fromkeys(space.sample(rng) for _ in range(count)))


def made_up(space: ElasticSpace, archs: list[Arch]) -> NDArray[np.float64]:
    """An accuracy that rises with every choice, with less and less to gain."""
    specs = [space.netspec(arch) for arch in archs]
    work = [sum(b.kernel + b.hidden_channels / 8 for stage in s.stages for b in stage) for s in specs]
    sides = [s.input_shape[0] for s in specs]
    return 0.9 - 1.5 / np.array(work) - 1.0 / np.array(sides)


def test_one_hot_of_each_slot_and_zeros_beyond_the_depth() -> None:
    space = tiny_elastic()
    row = encode(space, [space.canonical((1, 0, 2, 1, 0, 0, 1, 1, 0, 0, 1, 0, 0))])[0].tolist()
    assert row[:2] == [0, 1]  # resolution
    assert row[2:8] == [0, 0, 1, 0, 1, 0]  # kernel 7, expand ratio 3 of the first slot
    assert row[8:14] == [0] * 6  # beyond the first stage's depth
    assert row[14:] == [0, 1, 1, 0, 1, 0, 0, 1, 0, 0, 0, 0]  # 7 and ratio 2, 3 and ratio 3, none


def test_different_networks_have_different_rows() -> None:
    space = tiny_elastic()
    archs = archs_of(space, 500)
    assert len({row.tobytes() for row in encode(space, archs)}) == len(archs)


def test_learns_to_order_archs_that_it_has_not_seen() -> None:
    space = tiny_elastic()
    archs = archs_of(space, 300)
    accuracy = made_up(space, archs)
    features = encode(space, archs)
    mlp = fit_mlp(features[:240], accuracy[:240], SMALL, seed=0)
    guess = mlp.predict(features[240:])
    assert kendall_tau(guess, accuracy[240:]) > 0.85
    assert np.sqrt(np.mean((guess - accuracy[240:]) ** 2)) < 0.25 * accuracy.std()


def test_starts_at_the_mean() -> None:
    features, accuracy = np.eye(20, dtype=np.float32), np.linspace(0.5, 0.7, 20)
    mlp = fit_mlp(features, accuracy, MlpConfig(hidden=16, epochs=1, lr=1e-9), seed=0)
    np.testing.assert_allclose(mlp.predict(features), 0.6, atol=0.02)


def test_the_same_as_torch_does() -> None:
    """Oracle: the same network, batches and Adam with weight decay in torch."""
    import torch

    rng = np.random.default_rng(0)
    features, accuracy = rng.random((32, 6), np.float32), rng.random(32)
    config = MlpConfig(hidden=8, epochs=3, batch_size=32, lr=1e-2, weight_decay=1e-2)
    start = fit_mlp(features, accuracy, config.model_copy(update={"lr": 1e-12, "epochs": 1}), seed=0)
    targets = torch.tensor((accuracy - accuracy.mean()) / accuracy.std(), dtype=torch.float32)
    layers = [(torch.tensor(w, requires_grad=True), torch.tensor(b, requires_grad=True)) for w, b in start.members[0]]
    adam = torch.optim.Adam([p for pair in layers for p in pair], lr=1e-2, weight_decay=1e-2)
    for epoch in range(3):
        adam.param_groups[0]["lr"] = 1e-2 * (1 - epoch / 3)
        x = torch.tensor(features)
        for weight, bias in layers[:-1]:
            x = torch.relu(x @ weight + bias)
        out = (x @ layers[-1][0] + layers[-1][1])[:, 0]
        adam.zero_grad()
        (0.5 * (out - targets) ** 2).mean().backward()  # type: ignore[no-untyped-call]
        adam.step()
    ours = fit_mlp(features, accuracy, config, seed=0).members[0]
    for (found, found_bias), (wanted, wanted_bias) in zip(ours, layers, strict=True):
        np.testing.assert_allclose(found, wanted.detach().numpy(), atol=2e-5)
        np.testing.assert_allclose(found_bias, wanted_bias.detach().numpy(), atol=2e-5)


def test_one_seed_one_result_and_a_mean_of_several() -> None:
    features, accuracy = np.eye(20, dtype=np.float32), np.linspace(0.5, 0.7, 20)
    config = MlpConfig(hidden=16, epochs=3)
    first, again, other = (fit_mlp(features, accuracy, config, seed).predict(features) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    both = fit_mlp(features, accuracy, config.model_copy(update={"ensemble": 2}), seed=0)
    parts = [Mlp((member,), both.mean, both.spread).predict(features) for member in both.members]
    np.testing.assert_allclose(both.predict(features), np.mean(parts, axis=0), atol=1e-7)


def test_kept_and_read(tmp_path: Path) -> None:
    features = np.eye(20, dtype=np.float32)
    mlp = fit_mlp(features, np.linspace(0.5, 0.7, 20), MlpConfig(hidden=8, epochs=2, ensemble=2), seed=0)
    mlp.save(tmp_path / "mlp.npz")
    np.testing.assert_array_equal(Mlp.load(tmp_path / "mlp.npz").predict(features), mlp.predict(features))
    np.savez(tmp_path / "other.npz", weights=np.zeros(3))
    with pytest.raises(ModelError, match=r"other\.npz: not an accuracy predictor"):
        Mlp.load(tmp_path / "other.npz")


def test_judged_by_what_was_held_out() -> None:
    accuracy = np.array([0.5, 0.6, 0.7, 0.8])
    found = judged(accuracy + 0.01, accuracy, {"macs": -accuracy}, n_fit=30)
    assert found.rmse_heldout == pytest.approx(0.01)
    assert found.kendall_tau_heldout == 1.0 and found.baselines_heldout == {"macs": -1.0}
    assert found.warning is None
    worse = judged(-accuracy, accuracy, {"macs": accuracy}, n_fit=30)
    assert worse.warning is not None and "macs" in worse.warning
