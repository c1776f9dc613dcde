from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.distill import small
from tinynas.data.config import DataConfig
from tinynas.distill.build import build_library
from tinynas.distill.config import DistillConfig
from tinynas.distill.library import Library
from tinynas.errors import ModelError
from tinynas.nets.checkpoint import save_network
from tinynas.pipeline.features import Features
from tinynas.pipeline.jobs import dataset
from tinynas.pipeline.scoring import Scored
from tinynas.space.space import Arch

DATA = DataConfig.model_validate({"dataset": "digits", "train_images": 320, "validation_images": 100})
SEED = 5


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    folder = tmp_path_factory.mktemp("library")
    save_network(folder / "reference.npz", small.reference())
    return build_library(small.reference(), small.space(), small.data(), DistillConfig(epochs=1), SEED, folder)


@pytest.fixture
def archs() -> list[Arch]:
    rng = np.random.default_rng(0)
    return list(dict.fromkeys(small.space().canonical(small.space().sample(rng)) for _ in range(12)))


def features(library: Library, folder: Path, workers: int = 1) -> Features:
    scored = Scored(library.folder, library.folder / "reference.npz", library.space, DATA, SEED)
    return Features(library, scored, folder, workers)


def test_scores_do_not_depend_on_the_number_of_processes(library: Library, archs: list[Arch], tmp_path: Path) -> None:
    alone, beside = (features(library, tmp_path / str(count), count).scores(archs) for count in (1, 2))
    assert alone == beside
    assert len({scores.probe for scores in alone}) > 1


def test_what_is_scored_is_kept(library: Library, archs: list[Arch], tmp_path: Path) -> None:
    """For a run that goes on after a kill, and for another board's."""
    first = features(library, tmp_path / "scores").scores(archs[:3])
    moved = Library(library.space, library.reference, tmp_path / "gone")
    assert features(moved, tmp_path / "scores").scores(archs[:3]) == first
    with pytest.raises(ModelError, match="gone"):
        features(moved, tmp_path / "scores").scores(archs[3:])


def test_a_network_of_any_spelling_is_scored_once(library: Library, tmp_path: Path) -> None:
    """Expand ratios 1 and 1.1 give the same channels here."""
    space, some = library.space, features(library, tmp_path)
    spelled = next(
        arch
        for option in range(len(space.stage_options(0)))
        if space.canonical(arch := space.with_option(space.smallest(), 0, option)) != arch
    )
    assert len(set(some.scores([spelled, space.canonical(spelled)]))) == 1
    assert len(list(tmp_path.glob("*.json"))) == 1


def test_gains_grow_with_quality(library: Library, tmp_path: Path) -> None:
    """The reference's own blocks imitate it best."""
    own, least = features(library, tmp_path).gains([library.space.largest(), library.space.smallest()])["proxies"]
    assert own[1] > least[1]


def test_scores_are_of_the_dataset_in_the_setting(library: Library, archs: list[Arch], tmp_path: Path) -> None:
    before = features(library, tmp_path / "all").scores(archs[:1])
    fewer = Scored(
        library.folder,
        library.folder / "reference.npz",
        library.space,
        DATA.model_copy(update={"train_images": 200}),
        SEED,
    )
    assert Features(library, fewer, tmp_path / "fewer", 1).scores(archs[:1]) != before
    assert len(dataset(fewer.data).train) == 200
