"""What --data may name, and the pixels that a model then gets."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tinynas.cli import mlperf_folder
from tinynas.cli.images import SplitName, data_config, load_split, model_split
from tinynas.cli.models import Model
from tinynas.data.types import Split
from tinynas.errors import ConfigError, DataError, TinyNasError
from tinynas.graph.ir import DType, Graph, Op, Quant, Tensor
from tinynas.graph.ops import NoAttrs


def mlperf(folder: Path, rows: list[str], images: dict[str, np.ndarray]) -> Path:
    (folder / "bin").mkdir(parents=True)
    (folder / "y_labels.csv").write_text("".join(f"{row}\n" for row in rows))
    for name, pixels in images.items():
        (folder / "bin" / name).write_bytes(pixels.astype(np.uint8).tobytes())
    return folder


def photo_folder(folder: Path, side: int = 24) -> Path:
    for label, name in enumerate(("cat", "dog")):
        (folder / name).mkdir(parents=True)
        for i in range(4):
            Image.fromarray(np.full((side, side, 3), 50 * label + i, np.uint8)).save(folder / name / f"{i}.png")
    return folder


def test_mlperf_folder_gives_the_raw_pixels(tmp_path: Path) -> None:
    pixels = np.arange(48).reshape(4, 4, 3)
    folder = mlperf(tmp_path / "set", ["b.bin,2,1", "a.bin,2,0"], {"a.bin": pixels, "b.bin": pixels[::-1]})
    split = load_split(str(folder), (4, 4, 3), SplitName.TEST)
    np.testing.assert_array_equal(split.images, np.stack([pixels[::-1], pixels]))
    np.testing.assert_array_equal(split.labels, [1, 0])


def test_mlperf_folder_in_grey_is_luma(tmp_path: Path) -> None:
    pixels = np.full((4, 4, 3), (200, 100, 50))
    folder = mlperf(tmp_path / "set", ["a.bin,2,0"], {"a.bin": pixels})
    split = load_split(str(folder), (4, 4, 1), SplitName.TEST)
    assert split.images.shape == (1, 4, 4, 1)
    assert set(split.images.ravel()) == {round(0.299 * 200 + 0.587 * 100 + 0.114 * 50)}


def test_mlperf_features_are_int8_of_any_shape(tmp_path: Path) -> None:
    """Keyword spotting: 49 x 10 features, which the runner sends as they are."""
    features = np.arange(-6, 6).reshape(4, 3, 1)
    folder = mlperf(tmp_path / "set", ["a.bin,2,1"], {"a.bin": features.astype(np.int8).view(np.uint8)})
    split = mlperf_folder.read(folder, (4, 3, 1), signed=True)
    np.testing.assert_array_equal(split.images[0].astype(np.int16) - 128, features)


def taking(shape: tuple[int, ...]) -> Model:
    """A model of one op on an input of `shape`, whose zero point is neither that of pixels nor of -1 to 1."""
    quant = Quant.per_tensor(0.5, 83)
    tensors = (Tensor("x", shape, DType.INT8, quant), Tensor("y", shape, DType.INT8, quant))
    return Model(Path("m.tflite"), b"", Graph(tensors, (Op("RELU", (0,), (1,), NoAttrs()),), (0,), (1,)))


def test_only_a_list_of_files_serves_a_model_that_is_not_square(tmp_path: Path) -> None:
    folder = mlperf(tmp_path / "set", ["a.bin,2,1"], {"a.bin": np.zeros(30)})
    assert model_split(taking((1, 6, 5, 1)), str(folder), SplitName.TEST).images.min() == 128  # int8 0
    with pytest.raises(DataError, match="not one square image"):
        model_split(taking((1, 6, 5, 1)), str(photo_folder(tmp_path / "photos")), SplitName.TEST)


def test_pixels_stay_pixels_whatever_the_model_s_zero_point(tmp_path: Path) -> None:
    pixels = np.arange(16).reshape(4, 4, 1)
    folder = mlperf(tmp_path / "set", ["a.bin,2,1"], {"a.bin": pixels})
    found = model_split(taking((1, 4, 4, 1)), str(folder), SplitName.TEST)
    np.testing.assert_array_equal(found.images[0], pixels)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (["a.bin,2,0", "missing.bin,2,1"], r"missing\.bin"),
        (["a.bin,2"], "file,classes,class"),
        (["a.bin,2,x"], "file,classes,class"),
        ([], "lists no file"),
    ],
)
def test_bad_mlperf_lists_are_named(tmp_path: Path, rows: list[str], words: str) -> None:
    folder = mlperf(tmp_path / "set", rows, {"a.bin": np.zeros(48)})
    with pytest.raises(DataError, match=words):
        mlperf_folder.read(folder, (4, 4, 3))


def test_an_mlperf_file_of_another_size_is_named(tmp_path: Path) -> None:
    folder = mlperf(tmp_path / "set", ["a.bin,2,0"], {"a.bin": np.zeros(47)})
    with pytest.raises(DataError, match=r"a\.bin: 47 bytes"):
        mlperf_folder.read(folder, (4, 4, 3))


def test_a_folder_is_read_at_the_models_size_and_colour(tmp_path: Path) -> None:
    split = load_split(str(photo_folder(tmp_path / "photos")), (12, 12, 1), SplitName.ALL)
    assert split.images.shape == (8, 12, 12, 1)
    assert sorted(split.labels.tolist()) == [0] * 4 + [1] * 4


def test_all_is_the_three_splits_together(tmp_path: Path) -> None:
    folder = str(photo_folder(tmp_path / "photos"))
    parts = [load_split(folder, (8, 8, 3), name) for name in SplitName if name is not SplitName.ALL]
    whole = load_split(folder, (8, 8, 3), SplitName.ALL)
    assert sorted(whole.sources) == sorted(source for part in parts for source in part.sources)


def test_a_coco_folder_is_known_by_its_annotations(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    images, boxes = [], []
    for i in range(8):
        name = f"{i}.png"
        Image.fromarray(np.full((20, 20, 3), 20 * i, np.uint8)).save(tmp_path / "images" / name)
        images.append({"id": i, "file_name": name, "width": 20, "height": 20})
        if i % 2:
            boxes.append({"id": i, "image_id": i, "category_id": 1, "bbox": [0, 0, 10, 10], "area": 100})
    content = {"images": images, "annotations": boxes, "categories": [{"id": 1, "name": "person"}]}
    (tmp_path / "annotations.json").write_text(json.dumps(content))
    split = load_split(str(tmp_path), (16, 16, 3), SplitName.ALL)
    assert sorted(split.labels.tolist()) == [0] * 4 + [1] * 4


@pytest.mark.parametrize("table", ["", "[data]\n"])
def test_a_toml_may_be_a_data_set_or_an_experiment(tmp_path: Path, table: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(f'{table}dataset = "digits"\nresolution = 32\n')
    assert data_config(str(path), (16, 16, 1)).resolution == 32  # a run trains at 32 and scales down, so does eval
    assert load_split(str(path), (16, 16, 1), SplitName.TEST).images.shape[1:] == (16, 16, 1)


@pytest.mark.parametrize("content", ["dataset = \n", "data = 3\n", 'dataset = "digits"\nsise = 3\n'])
def test_a_bad_data_toml_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(content)
    with pytest.raises(ConfigError, match=r"mine\.toml"):
        data_config(str(path), (16, 16, 1))


def test_the_same_data_give_the_same_images(tmp_path: Path) -> None:
    folder = str(photo_folder(tmp_path / "photos"))

    def load() -> Split:
        return load_split(folder, (8, 8, 3), SplitName.TEST)

    np.testing.assert_array_equal(load().images, load().images)


def test_errors_are_the_users(tmp_path: Path) -> None:
    with pytest.raises(TinyNasError, match="neither a file"):
        data_config(str(tmp_path / "nowhere"), (8, 8, 3))
