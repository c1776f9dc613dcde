from __future__ import annotations

import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynas.errors import StoreError
from tinynas.pipeline.digest import derive_seed, digest
from tinynas.pipeline.files import link, read_json, write_bytes
from tinynas.pipeline.stage_store import StageKey, StageStore, changes

KEY = StageKey("library", 1, {"library": {"epochs": 1}}, {"reference": "abc"})
SETTINGS = st.dictionaries(st.text(), st.integers() | st.text() | st.lists(st.text(), max_size=2), max_size=3)


def write_one(folder: Path) -> None:
    (folder / "result.txt").write_text("1")


def test_a_finished_stage_is_not_computed_again(tmp_path: Path) -> None:
    store = StageStore(tmp_path)
    calls: list[Path] = []
    first = store.get(KEY, calls.append)
    again = store.get(KEY, calls.append)
    assert first == again
    assert len(calls) == 1
    assert first.folder.name == KEY.folder_name


@pytest.mark.parametrize(
    "other",
    [
        StageKey("library", 2, KEY.settings, KEY.upstream),
        StageKey("library", 1, {"library": {"epochs": 2}}, KEY.upstream),
        StageKey("library", 1, KEY.settings, {"reference": "abd"}),
        StageKey("reference", 1, KEY.settings, KEY.upstream),
    ],
)
def test_whatever_decides_the_output_decides_the_digest(other: StageKey) -> None:
    assert other.digest != KEY.digest


def test_outputs_that_differ_in_one_upstream_stage_are_alike(tmp_path: Path) -> None:
    store = StageStore(tmp_path)
    other = StageKey("library", 1, KEY.settings, {"reference": "abd"})
    for key in (
        KEY,
        other,
        StageKey("library", 2, KEY.settings, {"reference": "abe"}),
        StageKey("library", 1, {"library": {"epochs": 2}}, {"reference": "abf"}),
        StageKey("front", 1, KEY.settings, {"reference": "abg"}),
    ):
        store.get(key, write_one)
    with pytest.raises(OSError, match="stopped"):
        store.get(StageKey("library", 1, KEY.settings, {"reference": "abh"}), _stopped)
    assert store.alike(KEY, "reference") == [tmp_path / other.folder_name]
    assert store.alike(KEY, "data") == []


def _stopped(_folder: Path) -> None:
    raise OSError("stopped")


def test_a_stopped_stage_goes_on_with_its_finished_parts(tmp_path: Path) -> None:
    store = StageStore(tmp_path)

    def fail(folder: Path) -> None:
        write_one(folder)
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        store.get(KEY, fail)
    assert store.find(KEY) is None
    assert store.begun(KEY)
    seen: list[str] = []
    store.get(KEY, lambda folder: seen.append((folder / "result.txt").read_text()))
    assert seen == ["1"]
    assert not store.begun(KEY)


def test_two_at_once_compute_once(tmp_path: Path) -> None:
    calls: list[Path] = []
    barrier = threading.Barrier(2)

    def get() -> None:
        barrier.wait()
        StageStore(tmp_path).get(KEY, calls.append)

    threads = [threading.Thread(target=get) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls) == 1


def test_changes_are_named(tmp_path: Path) -> None:
    old = StageStore(tmp_path).get(KEY, write_one).folder
    assert changes(old, StageKey("library", 1, {"library": {"epochs": 2}}, {"reference": "x"})) == (
        "library.epochs",
        "reference",
    )
    many = {"board": dict.fromkeys("abcde", 1)}
    assert changes(old, StageKey("library", 1, many, KEY.upstream)) == ("board", "library")
    assert changes(old, StageKey("library", 2, KEY.settings, KEY.upstream)) == ("tinynas itself",)


@given(SETTINGS, SETTINGS)
def test_digests_are_equal_for_equal_values_only(first: object, second: object) -> None:
    assert (digest(first) == digest(second)) == (first == second)


def test_digests_do_not_depend_on_the_order_of_keys() -> None:
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})


@given(st.integers(0, 2**40), st.lists(st.text() | st.integers(), max_size=3))
def test_seeds_fit_every_generator_and_differ_by_label(seed: int, labels: list[str | int]) -> None:
    found = derive_seed(seed, *labels)
    assert 0 <= found < 2**31
    assert found == derive_seed(seed, *labels)
    assert found != derive_seed(seed, *labels, "more")


def test_a_link_is_replaced_and_relative(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        link(tmp_path / "links" / "stage", tmp_path / name)
    place = tmp_path / "links" / "stage"
    assert place.resolve() == tmp_path / "two"
    assert not place.readlink().is_absolute()


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "summary.json"
    write_bytes(path, b"old")

    def full(self: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        write_bytes(path, b"new")
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize("content", ["{", None])
def test_a_damaged_file_is_named(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "metrics.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(StoreError, match=r"metrics\.json"):
        read_json(path)
