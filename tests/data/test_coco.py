"""COCO sets become visual wake words by the share of the image that a person's box covers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.data.test_folder import write_image
from tinynas.data.coco import coco, list_coco
from tinynas.data.config import DataConfig
from tinynas.data.describe import describe
from tinynas.data.load import load_dataset
from tinynas.errors import DataError


def write_coco(root: Path, images: int = 24, json_name: str = "annotations.json", folder: str = "images") -> Path:
    """Images of 24 x 20: every other one has a person box of exactly 0.5 %, the others one just below, and a dog."""
    boxes, rows = [], []
    for index in range(images):
        write_image(root / folder / f"{index:03d}.jpg", index)
        rows.append({"id": index, "file_name": f"{index:03d}.jpg", "width": 24, "height": 20})
        area = 2.4 if index % 2 else 2.39
        boxes.append({"id": index, "image_id": index, "category_id": 1, "bbox": [1, 1, area, 1]})
        boxes.append({"id": 1000 + index, "image_id": index, "category_id": 2, "bbox": [0, 0, 24, 20]})
    categories = [{"id": 1, "name": "person"}, {"id": 2, "name": "dog"}]
    path = root / json_name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"images": rows, "annotations": boxes, "categories": categories}))
    return root


def edit(root: Path, change: Any) -> None:
    """Apply `change` to the parsed annotations, in place."""
    path = root / "annotations.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def config(path: Path, **changes: object) -> DataConfig:
    return DataConfig.model_validate({"dataset": "coco", "path": path, "resolution": 16} | changes)


def test_half_a_percent_is_a_person(tmp_path: Path) -> None:
    found = list_coco(config(write_coco(tmp_path)))
    np.testing.assert_array_equal(found.labels, np.arange(24) % 2)
    data = coco(config(tmp_path))
    assert data.classes == ("no person", "person")
    assert data.input_shape == (16, 16, 3)
    for split in data.splits.values():
        np.testing.assert_array_equal(split.labels, [int(str(s)[:3]) % 2 for s in split.sources])


def test_rule_can_be_changed(tmp_path: Path) -> None:
    write_coco(tmp_path)
    edit(tmp_path, lambda content: content["annotations"].pop())  # the last image has no dog
    found = list_coco(config(tmp_path, positive="dog", min_area_fraction=0.9))
    assert found.labels.tolist() == [1] * 23 + [0]


@pytest.mark.parametrize(
    ("json_name", "folder"),
    [
        ("annotations.json", "images"),
        ("annotations.json", "."),
        ("instances_val2017.json", "val2017"),
        ("annotations/instances_val2017.json", "val2017"),
        ("annotations/instances_val2017.json", "images/val2017"),
    ],
)
def test_usual_layouts_are_found(tmp_path: Path, json_name: str, folder: str) -> None:
    write_coco(tmp_path, 12, json_name, folder)
    reference = coco(config(tmp_path)).sha256
    assert coco(config(tmp_path / json_name)).sha256 == reference
    assert coco(config(tmp_path, annotations=json_name)).sha256 == reference


def test_several_annotation_files_want_a_choice(tmp_path: Path) -> None:
    write_coco(tmp_path, 12, "annotations/instances_train.json")
    write_coco(tmp_path, 12, "annotations/instances_val.json")
    with pytest.raises(DataError, match=r"instances_train\.json, instances_val\.json.*data\.annotations"):
        coco(config(tmp_path))
    assert len(coco(config(tmp_path, annotations="annotations/instances_val.json")).train) > 0


def test_bad_sets_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere: no such folder"):
        coco(config(tmp_path / "nowhere"))
    with pytest.raises(DataError, match="no annotation file"):
        coco(config(tmp_path))
    write_coco(tmp_path)
    with pytest.raises(DataError, match=r"unknown category 'cat'.*dog, person"):
        coco(config(tmp_path, positive="cat"))
    (tmp_path / "images" / "004.jpg").unlink()
    with pytest.raises(DataError, match=r"images/004\.jpg: missing image"):
        coco(config(tmp_path))
    write_image(tmp_path / "images" / "004.jpg")
    (tmp_path / "images" / "005.jpg").write_bytes(b"\xff\xd8\xff nothing more")
    with pytest.raises(DataError, match=r"images/005\.jpg: cannot read this image"):
        coco(config(tmp_path))
    assert describe(tmp_path).unreadable == (str(tmp_path / "images" / "005.jpg"),)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.pop("categories"), "no list 'categories'"),
        (lambda c: c["annotations"].clear(), "class without images: 'person'"),
        (lambda c: c["annotations"].append({"id": 7, "image_id": 777, "category_id": 1, "bbox": [0, 0, 1, 1]}), "777"),
        (lambda c: c["images"][3].pop("width"), "width"),
        (lambda c: c["annotations"][0].pop("bbox"), "bbox"),
    ],
)
def test_malformed_annotations_are_named(tmp_path: Path, change: Any, message: str) -> None:
    write_coco(tmp_path)
    edit(tmp_path, change)
    with pytest.raises(DataError, match=rf"annotations\.json.*{message}"):
        coco(config(tmp_path))


def test_broken_json_is_named(tmp_path: Path) -> None:
    write_coco(tmp_path)
    path = tmp_path / "annotations.json"
    path.write_text(path.read_text()[:100])
    with pytest.raises(DataError, match=r"annotations\.json: cannot read"):
        coco(config(tmp_path))


def test_cache_and_description(tmp_path: Path) -> None:
    write_coco(tmp_path / "set")
    first = load_dataset(config(tmp_path / "set"), tmp_path / "cache")
    assert load_dataset(config(tmp_path / "set"), tmp_path / "cache").sha256 == first.sha256
    edit(tmp_path / "set", lambda content: content["annotations"][0].update(bbox=[0, 0, 20, 20]))
    assert load_dataset(config(tmp_path / "set"), tmp_path / "cache").sha256 != first.sha256
    found = describe(tmp_path / "set")
    assert (found.kind, found.classes, found.counts) == ("coco", ("no person", "person"), (11, 13))
    assert found.annotations == tmp_path / "set" / "annotations.json"
