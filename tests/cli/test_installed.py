"""An installed package works outside the checkout: laid out as pyproject.toml tells the wheel to be."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
NO_CACHES = shutil.ignore_patterns("__pycache__")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site-packages folder with what the wheel holds."""
    wheel = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    folder = tmp_path / "site"
    for package in wheel["packages"]:
        shutil.copytree(CHECKOUT / package, folder / package, ignore=NO_CACHES)
    for source, target in wheel["force-include"].items():
        (folder / target).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (CHECKOUT / source).is_dir() else shutil.copy
        copy(CHECKOUT / source, folder / target)
    return folder


def test_a_model_is_timed_and_the_package_stays_as_it_was(site: Path, models: Path, tmp_path: Path) -> None:
    """Boards and firmware come out of the package, builds go to the user's cache folder."""
    files = sorted(site.rglob("*"))
    home = tmp_path / "home"
    home.mkdir()
    code = "import tinynas; from tinynas.cli.main import run; print(tinynas.__file__); run()"
    command = [sys.executable, "-P", "-c", code, "time", str(models / "good.tflite"), "--board", "qemu-stm32f405"]
    environment = {name: value for name, value in os.environ.items() if name not in ("TINYNAS_CACHE", "XDG_CACHE_HOME")}
    environment |= {"PYTHONPATH": str(site), "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [*command, "--json"], cwd=home, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    place, found = done.stdout.split("\n", 1)
    assert Path(place).is_relative_to(site)
    assert json.loads(found)["bit_exact"] is True
    assert sorted(site.rglob("*")) == files
    assert {path.name for path in home.iterdir()} == {".cache"}
