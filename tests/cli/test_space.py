from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Tinynas
from tinynas.resources import resource

DEMO = str(resource("experiments") / "demo.toml")
BUDGET = ("--set", "budget.sram_bytes=85000", "--samples", "40", "--jobs", "1")


def test_ranking_is_printed_and_kept_with_its_curves(tinynas: Tinynas, tmp_path: Path) -> None:
    grid = ("--resolutions", "48:96:24", "--widths", "1,0.5")  # in any order
    result = tinynas("space", DEMO, "--board", "host", *grid, *BUDGET, "-o", tmp_path, "--json")
    assert result.status == 0, result.err
    found = json.loads(result.out)
    assert {(s["resolution"], s["width"]) for s in found["ranking"]} == {(r, w) for r in (48, 72, 96) for w in (0.5, 1)}
    keys = [(s["trusted"], s["mean_macs"]) for s in found["ranking"]]
    assert keys == sorted(keys, reverse=True)
    assert found["chosen"]["width"] == found["ranking"][0]["width"]
    assert json.loads((tmp_path / "space.json").read_text()) == found
    assert "6 spaces on host" in (tmp_path / "space.html").read_text()


def test_networks_have_the_classes_of_the_data(tinynas: Tinynas, tmp_path: Path) -> None:
    """Three folders against ten digits: of every network the classifier alone differs, by 7 outputs of 128 products."""
    for name in ("cat", "dog", "owl"):
        (tmp_path / "set" / name).mkdir(parents=True)
        (tmp_path / "set" / name / "1.png").write_bytes(b"never read")
    data = {
        "folder": f"data={{dataset='folder', channels=1, path='{tmp_path / 'set'}'}}",
        "digits": "data={dataset='digits'}",
    }
    one = ("--set", "space.resolutions=[16]", "--samples", "10", "--jobs", "1", "--json")
    mean = {}
    for name, setting in data.items():
        result = tinynas("space", DEMO, "--board", "host", *one, "--set", setting, "-o", tmp_path / name)
        assert result.status == 0, result.err
        mean[name] = json.loads(result.out)["ranking"][0]["mean_macs"]
    assert mean["digits"] - mean["folder"] == 7 * 128


def test_a_dataset_without_its_folder_is_one_line(tinynas: Tinynas) -> None:
    result = tinynas("space", DEMO, "--board", "host", "--set", "data={dataset='folder'}")
    assert result.status == 2
    assert "data.path is not set" in result.err and len(result.err.strip().splitlines()) == 1


def test_nothing_fits_is_one_line_with_the_nearest(tinynas: Tinynas, tmp_path: Path) -> None:
    tight = ("--set", "budget.sram_bytes=5000", "--samples", "5", "--jobs", "1")
    result = tinynas("space", DEMO, "--board", "host", *tight, "-o", tmp_path / "none")
    assert result.status == 2
    assert "the nearest, r48" in result.err and len(result.err.strip().splitlines()) == 1
    assert not (tmp_path / "none").exists()


def test_a_list_that_is_none_is_named(tinynas: Tinynas) -> None:
    result = tinynas("space", DEMO, "--board", "host", "--widths", "0.5;1")
    assert result.status == 2
    assert "'0.5;1' is no list of numbers" in result.err


@pytest.mark.parametrize(
    ("option", "given", "said"),
    [
        ("--resolutions", "0", "--resolutions 0: "),
        ("--widths", "-1,1", "--widths -1,1: "),
        ("--resolutions", "96:48:16", "--resolutions 96:48:16: "),
    ],
)
def test_numbers_that_make_no_space_are_one_line(tinynas: Tinynas, option: str, given: str, said: str) -> None:
    result = tinynas("space", DEMO, "--board", "host", option, given)
    assert result.status == 2
    assert said in result.err and len(result.err.strip().splitlines()) == 1
