"""Array files are whole or absent, and say so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinynas.data.arrays import load_arrays, save_arrays
from tinynas.errors import DataError, StoreError


def test_round_trip_replaces_the_old_file(tmp_path: Path) -> None:
    for value in (1, 2):
        save_arrays(tmp_path / "deep" / "a.npz", {"x": np.full(3, value), "text": np.array("héllo")})
    loaded = load_arrays(tmp_path / "deep" / "a.npz", DataError, "")
    assert loaded["x"].tolist() == [2, 2, 2] and str(loaded["text"]) == "héllo"
    assert len(list((tmp_path / "deep").iterdir())) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_full_disk_is_named_and_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.npz"
    save_arrays(path, {"x": np.zeros(3)})
    plain_open = Path.open
    monkeypatch.setattr(Path, "open", lambda self, mode: plain_open(Path("/dev/full"), mode))
    with pytest.raises(StoreError, match=r"a\.npz: cannot write .*No space left"):
        save_arrays(path, {"x": np.ones(100_000)})
    monkeypatch.undo()
    assert load_arrays(path, DataError, "")["x"].tolist() == [0, 0, 0]


def test_damage_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    save_arrays(path, {"x": np.arange(1000)})
    content = path.read_bytes()
    for damaged in (content[:500], b"", b"text", content[:200] + bytes(50) + content[250:]):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match=r"a\.npz.*delete it"):
            load_arrays(path, DataError, "delete it")
