from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.pipeline.experiments import OFA, TINY, write_tiny
from tinynas.errors import BoardError, ConfigError
from tinynas.pipeline.config import experiment_text, load_experiment
from tinynas.resources import resource


@pytest.mark.parametrize("name", ["demo", "vww"])
def test_experiments_that_ship_are_valid(name: str) -> None:
    experiment = load_experiment(resource("experiments") / f"{name}.toml")
    assert experiment.name == name
    assert experiment.finetune.front_entries >= 4
    assert len(experiment.baselines.widths) == 3


def test_what_is_written_reads_back_as_the_same_experiment(tmp_path: Path) -> None:
    first = load_experiment(
        write_tiny(tmp_path), ["budget.latency_us=1000", "data.dataset=folder", 'data.path=/my "photos"']
    )
    again = load_experiment(write_tiny(tmp_path, experiment_text(first)))
    assert again == first


def test_the_file_names_the_experiment_that_does_not(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(TINY.replace('name = "tiny"', ""))
    assert load_experiment(path).name == "mine"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("epochs = 3", "epoch = 3", "reference.epoch: unknown setting"),
        ("epochs = 3", 'epochs = "many"', "reference.epochs: .*found 'many'"),
        ("population = 6", "population = 1", "search.population: "),
        ('dataset = "digits"', 'dataset = "cats"', "unknown dataset 'cats'; known: cifar10, coco, digits, facewake"),
        ('dataset = "digits"', "", "data.dataset: missing"),
        ("resolution = 16", "resolution = 14", "space.resolutions: 16 is more than data.resolution, 14"),
        ("head_channels = 0", "head_channels = 0\nchannels = 3", "space.channels is 3, data.channels is 1"),
        ('name = "tiny"', 'name = "../tiny"', "name: "),
        ("seed = 3", "seed = ", "not a readable TOML file"),
    ],
)
def test_a_wrong_setting_is_named_with_its_file(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = write_tiny(tmp_path, TINY.replace(old, new, 1))
    with pytest.raises(ConfigError, match=rf"tiny\.toml: .*{said}"):
        load_experiment(path)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ('search.objectives=["error", "flash_bytes"]', r"search\.objectives is for method = 'donna'"),
        ("search.limits={sram_bytes=20000}", r"search\.limits is for method = 'donna'.*\[budget\]"),
        ("search.method=random", r"search\.method is for"),
        ("reference.checkpoint=mine.npz", r"reference\.checkpoint is for"),
        ("ofa.training.largest.epochs=0", r"ofa\.training\.largest: .*needs 1 epoch"),
        ("finetune.networks=20", r"finetune\.networks: 20 is more than finetune\.max_networks, 12"),
    ],
)
def test_once_for_all_refuses_what_it_would_not_keep(tmp_path: Path, setting: str, said: str) -> None:
    path = write_tiny(tmp_path, OFA)
    with pytest.raises(ConfigError, match=said):
        load_experiment(path, [setting])


def test_an_experiment_of_once_for_all_reads_back(tmp_path: Path) -> None:
    """With every default written out, also of settings that it does not use."""
    experiment = load_experiment(write_tiny(tmp_path, OFA))
    assert load_experiment(write_tiny(tmp_path, experiment_text(experiment))) == experiment


def test_an_unknown_board_is_named_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(BoardError, match=r"unknown board 'nucleo'; known: .*qemu-stm32f405"):
        load_experiment(write_tiny(tmp_path), ["board=nucleo"])


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml: no such experiment"):
        load_experiment(tmp_path / "none.toml")


def test_absent_values_are_left_out_of_the_text(tmp_path: Path) -> None:
    settings = tomllib.loads(experiment_text(load_experiment(write_tiny(tmp_path))))
    assert settings["budget"] == {}
    assert settings["space"]["stages"][1]["expand_ratios"] == [1.0, 3.0]
