"""`tinynas new` writes an experiment that `tinynas run` reads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.conftest import Tinynas
from tinynas.cli.experiment_text import experiment_text, proposed_resolution
from tinynas.data.describe import Description
from tinynas.lab.board import load_board
from tinynas.pipeline.config import load_experiment


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Six colour images in two classes; the folder's name needs quoting in TOML."""
    folder = tmp_path / 'my "photos"'
    for name, level in (("cat", 40), ("dog", 200)):
        (folder / name).mkdir(parents=True)
        for i in range(3):
            pixels = np.full((50, 70, 3), (level, 255 - level, i), np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{i}.png")
    return folder


def test_the_written_experiment_loads(tinynas: Tinynas, photos: Path, tmp_path: Path) -> None:
    output = tmp_path / "my.toml"
    result = tinynas("new", photos, "--board", "qemu-stm32f405", "-o", output)
    assert result.status == 0, result.err
    experiment = load_experiment(output)
    assert experiment.board == "qemu-stm32f405"
    assert experiment.data.path == photos
    assert (experiment.data.kind, experiment.data.resolution, experiment.data.channels) == ("folder", 48, 3)
    assert "cat: 3" in result.out


def test_an_existing_file_is_not_overwritten(tinynas: Tinynas, photos: Path, tmp_path: Path) -> None:
    output = tmp_path / "my.toml"
    output.write_text("mine")
    assert tinynas("new", photos, "--board", "host", "-o", output).status == 2
    assert output.read_text() == "mine"
    assert tinynas("new", photos, "--board", "host", "-o", output, "--force").status == 0


@pytest.mark.parametrize("name", ["my photos.toml", "-x.toml", "my.txt"])
def test_a_name_that_no_run_can_have_is_refused(tinynas: Tinynas, photos: Path, tmp_path: Path, name: str) -> None:
    assert tinynas("new", photos, "--board", "host", "-o", tmp_path / name).status == 2
    assert not (tmp_path / name).exists()


def test_unreadable_images_are_named(tinynas: Tinynas, photos: Path, tmp_path: Path) -> None:
    (photos / "cat" / "broken.png").write_bytes(b"not an image")
    result = tinynas("new", photos, "--board", "host", "-o", tmp_path / "my.toml")
    assert result.status == 0
    assert str(photos / "cat" / "broken.png") in result.err.replace("\n", "")
    assert "1 images cannot be read" in (tmp_path / "my.toml").read_text()


@pytest.mark.parametrize("what", ["missing", "empty"])
def test_a_folder_without_images_is_named(tinynas: Tinynas, tmp_path: Path, what: str) -> None:
    folder = tmp_path / what
    if what == "empty":
        folder.mkdir()
    result = tinynas("new", folder, "--board", "host", "-o", tmp_path / "my.toml")
    assert result.status == 2
    assert str(folder) in result.err.replace("\n", "")
    assert not (tmp_path / "my.toml").exists()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("side", [10, 40, 97, 4000])
@pytest.mark.parametrize("board", ["qemu-stm32f405", "host"])
def test_any_description_gives_a_loadable_experiment(tmp_path: Path, channels: int, side: int, board: str) -> None:
    found = Description(
        kind="folder",
        path=tmp_path / "pictures",
        annotations=None,
        classes=("a", "b\\c"),
        counts=(3, 40_000),
        unreadable=(),
        median_size=(side, side),
        coloured=float(channels == 3),
    )
    output = tmp_path / "my.toml"
    target = load_board(board)
    output.write_text(experiment_text(found, board, target, output))
    experiment = load_experiment(output)
    assert experiment.data.resolution == proposed_resolution(found, target) == max(experiment.space.resolutions)
    assert experiment.data.channels == channels
