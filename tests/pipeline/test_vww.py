"""experiments/vww.toml as it ships, shrunken by --set, on a COCO folder that the test writes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tinynas.errors import ConfigError
from tinynas.pipeline.run import run_experiment
from tinynas.resources import resource

IMAGES = 60
STAGES = """[
  { out_channels = 16, stride = 2, depths = [1], kernels = [3, 5], expand_ratios = [2] },
  { out_channels = 24, stride = 2, depths = [1], kernels = [3], expand_ratios = [2, 3] },
]"""
SHRUNKEN = [
    "data.resolution=32",
    "space.resolutions=[24, 32]",
    "space.widths=[0.25, 0.5]",
    f"space.stages={STAGES}",
    "space_choice.samples=5",
    "reference.epochs=1",
    "library.epochs=1",
    "predictor.n_fit=4",
    "predictor.n_heldout=0",
    "predictor.finetune.epochs=1",
    "search.population=4",
    "search.generations=0",
    "finetune.networks=2",
    "finetune.front_entries=1",
    "finetune.front.epochs=1",
    "finetune.chosen.epochs=1",
    "baselines.widths=[0.1]",
    "quantise.calibration_images=8",
]


def write_coco(folder: Path) -> Path:
    """IMAGES noisy photographs; every other one holds a person, a bright box of a tenth of its area."""
    rng = np.random.default_rng(0)
    images, annotations = [], []
    (folder / "images").mkdir(parents=True)
    for number in range(IMAGES):
        pixels = rng.integers(0, 120, (40, 60, 3)).astype(np.uint8)
        images.append({"id": number, "file_name": f"{number}.jpg", "width": 60, "height": 40})
        if number % 2:
            left, top = int(rng.integers(44)), int(rng.integers(24))
            pixels[top : top + 16, left : left + 16] = 230
            box = {"bbox": [left, top, 16, 16], "area": 256, "iscrowd": 0}
            annotations.append({"id": number, "image_id": number, "category_id": 1, **box})
        Image.fromarray(pixels).save(folder / "images" / f"{number}.jpg")
    instances = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "person"}]}
    (folder / "instances.json").write_text(json.dumps(instances))
    return folder


def test_the_visual_wake_words_experiment_runs_on_a_coco_folder(tmp_path: Path) -> None:
    coco = write_coco(tmp_path / "coco")
    path = resource("experiments") / "vww.toml"
    folder = run_experiment(path, [f"data.path={coco}", *SHRUNKEN], runs=tmp_path / "runs", workers=1)
    found = json.loads((folder / "summary.json").read_text())
    about = json.loads((folder / "model.json").read_text())
    ranking = json.loads((folder / "stages" / "space" / "ranking.json").read_text())
    assert about["labels"] == ["no person", "person"]
    assert about["input"]["channels"] == 3
    assert len(ranking) == 4  # two resolutions by two widths
    assert found["chosen"]["bit_exact"]
    assert found["chosen"]["images_on_board"] == found["chosen"]["images_identical_to_host"] > 0


def test_without_a_folder_it_says_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"data\.path"):
        run_experiment(resource("experiments") / "vww.toml", runs=tmp_path)
