"""The latency table: what measured networks say of their blocks, and of networks that were not measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.space.elastic_spaces import tiny_elastic
from tinynas.errors import StoreError
from tinynas.predict.latency_table import LatencyTable, build_table, covering, pieces
from tinynas.space.layers import layers
from tinynas.space.netspec import NetSpec


def specs_of(count: int, seed: int = 0) -> list[NetSpec]:
    space, rng = tiny_elastic(), np.random.default_rng(seed)
    return list(dict.fromkeys(space.netspec(space.sample(rng)) for _ in range(count)))


def additive_us(spec: NetSpec, odd: float = 0.0) -> float:
    """A board on which every piece has its time: by work, off by up to `odd` of it in a way of its own."""
    total = 0.0
    for piece in pieces(spec):
        own = 5.0 + sum(0.01 * layer.macs + 0.002 * float(np.prod(layer.out_shape)) for layer in piece.layers)
        total += own * (1 + odd * np.sin(sum(map(ord, piece.key))))
    return total


def test_pieces_are_the_network() -> None:
    """Each layer is in one piece; equal blocks at equal shapes share a key, and nothing else does."""
    seen: dict[str, object] = {}
    for spec in specs_of(60):
        cut = pieces(spec)
        assert sorted(layer.name for piece in cut for layer in piece.layers) == sorted(x.name for x in layers(spec))
        for piece in cut:
            facts = [(x.kind, x.in_shape, x.out_shape, x.kernel, x.stride, x.activation) for x in piece.layers]
            assert seen.setdefault(piece.key, facts) == facts
    assert len({repr(facts) for facts in seen.values()}) == len(seen)


def test_additive_latencies_are_found_exactly() -> None:
    specs = specs_of(200)
    built, others = specs[:60], specs[60:]
    table = build_table("made-up", built, [additive_us(spec) for spec in built])
    table = table.checked(others, [additive_us(spec) for spec in others])
    assert table.check is not None and table.check.mape < 1e-3 and table.check.kendall_tau > 0.99


def test_blocks_with_times_of_their_own() -> None:
    """Work alone is off; with enough networks the blocks' own deviations are found."""
    specs = specs_of(400)
    others = specs[-60:]

    def off(count: int) -> float:
        built = specs[:count]
        table = build_table("made-up", built, [additive_us(spec, odd=0.2) for spec in built])
        table = table.checked(others, [additive_us(spec, odd=0.2) for spec in others])
        assert table.check is not None
        assert table.mape_loo == pytest.approx(table.check.mape, abs=0.05)
        return table.check.mape

    assert off(25) < 0.1
    assert off(200) < 0.01


def test_noise_is_not_learnt() -> None:
    """Measurements that scatter by 3 %: predictions of others are off by less than that."""
    rng, specs = np.random.default_rng(0), specs_of(200)
    built, others = specs[:80], specs[-80:]
    table = build_table("made-up", built, [additive_us(spec) * rng.normal(1, 0.03) for spec in built])
    table = table.checked(others, [additive_us(spec) for spec in others])
    assert table.check is not None and table.check.mape < 0.02


def test_a_piece_that_was_never_measured_costs_its_work() -> None:
    specs = specs_of(200)
    small = [spec for spec in specs if all(b.kernel < 7 for b in spec.stages[1])]
    table = build_table("made-up", small, [additive_us(spec) for spec in small])
    new = next(spec for spec in specs if spec not in small)
    assert any(piece.key not in table.entries for piece in pieces(new))
    assert 0 < table.predict(new) == pytest.approx(sum(table.piece_us(piece) for piece in pieces(new)))


def test_covering_sees_rare_pieces_first() -> None:
    """Few networks hold nearly every piece that many drawn ones do."""
    specs = specs_of(300)
    every = {piece.key for spec in specs for piece in pieces(spec)}

    def held(chosen: list[int]) -> float:
        return len({piece.key for index in chosen for piece in pieces(specs[index])}) / len(every)

    chosen = covering(specs, 14)
    assert len(set(chosen)) == 14
    assert held(chosen) > 1.15 * held(list(range(14)))


def test_kept_and_read(tmp_path: Path) -> None:
    specs = specs_of(30)
    table = build_table("made-up", specs, [additive_us(spec) for spec in specs])
    path = tmp_path / "table.json"
    path.write_text(table.model_dump_json())
    assert LatencyTable.load(path) == table
    path.write_text("{}")
    with pytest.raises(StoreError, match=r"table\.json: no latency table"):
        LatencyTable.load(path)
