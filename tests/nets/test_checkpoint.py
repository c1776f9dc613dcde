"""Checkpoints are plain arrays; damaged ones are refused by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.nets.test_network import small_spec, with_lively_norms
from tinynas.errors import ModelError
from tinynas.nets.checkpoint import load_network, save_network, spec_from_json, spec_to_json
from tinynas.nets.network import build_network


def test_round_trip(tmp_path: Path) -> None:
    network = with_lively_norms(build_network(small_spec(), seed=0), seed=1)
    save_network(tmp_path / "net.npz", network)
    loaded = load_network(tmp_path / "net.npz")
    assert loaded.spec == network.spec
    x = torch.rand(2, 3, 17, 17)
    assert torch.equal(loaded(x), network(x))
    assert [path.name for path in tmp_path.iterdir()] == ["net.npz"]


def test_holds_no_python_objects(tmp_path: Path) -> None:
    save_network(tmp_path / "net.npz", build_network(small_spec(), seed=0))
    with np.load(tmp_path / "net.npz", allow_pickle=False) as stored:
        assert all(stored[key].dtype != object for key in stored.files)


def test_spec_round_trips_through_json() -> None:
    assert spec_from_json(spec_to_json(small_spec())) == small_spec()


@pytest.mark.parametrize("damage", ["missing", "truncated", "text", "foreign", "other-shapes"])
def test_bad_files_are_named(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "net.npz"
    save_network(path, build_network(small_spec(), seed=0))
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    elif damage == "truncated":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "text":
        path.write_text("not a checkpoint")
    elif damage == "foreign":
        np.savez(path, weights=np.zeros(3))
    else:
        with np.load(path) as stored:
            np.savez(path, allow_pickle=False, **{**stored, "stem.conv.weight": np.zeros((1, 1, 3, 3), np.float32)})
    with pytest.raises(ModelError, match=r"net\.npz"):
        load_network(path)
