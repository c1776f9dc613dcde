"""docs/lab.md, followed to the letter: its files are written, its commands run, in the order in which they stand."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.lab.nets import small_net
from tests.lab.postgres import postgres
from tests.lab.test_places import labgrid, place
from tinynas.lab.hwmap import BoardEntry, read_map
from tinynas.lab.regression.run_folder import read_results

GUIDE = Path(__file__).parent.parent / "docs" / "lab.md"
__all__ = ["labgrid", "place"]  # fixtures


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, what stands behind that (a file name, or where it runs), its text."""

    language: str
    about: str
    text: str


def blocks() -> list[Block]:
    found = re.findall(r"^```(\S+) ?(\S*)\n(.*?)^```$", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
    return [Block(*each) for each in found]


@dataclass(frozen=True)
class Reader:
    """Somebody who follows the guide in `folder`."""

    folder: Path
    environment: dict[str, str]

    def shell(self, text: str) -> str:
        done = subprocess.run(
            ["bash", "-ec", text], cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{text}\n→ {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def write(self, block: Block) -> None:
        (self.folder / block.about).write_text(block.text)


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    """With an empty bench, and one model."""
    folder = tmp_path / "bench"
    (folder / "models").mkdir(parents=True)
    (folder / "models" / "net.tflite").write_bytes(small_net(0))
    programs = Path(sys.executable).parent
    environment = os.environ | {
        "HOME": str(tmp_path),
        "PATH": f"{programs}:{os.environ['PATH']}",
        "TINYNAS_LOCKS": str(tmp_path / "locks"),
        "TINYNAS_STORE": str(tmp_path / "shared.db"),
    }
    return Reader(folder, environment)


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    """A PostgreSQL database; where there is none, the guide's history goes into SQLite."""
    try:
        with postgres() as url:
            yield url
    except pytest.skip.Exception:
        yield "shared.db"


def test_the_guide_leads_from_an_empty_bench_to_a_nightly_run(reader: Reader, store: str) -> None:
    reader.environment["TINYNAS_STORE"] = store
    ran = 0
    for block in blocks():
        match block.language, block.about:
            case "sh", "":
                reader.shell(block.text)
                ran += 1
            case "toml", "":
                (reader.folder / "nightly.toml").write_text(block.text)
            case "cron", "":
                reader.shell(block.text.split(maxsplit=5)[5])
            case "yaml", ".gitlab-ci.yml":
                reader.shell("\n".join(YAML(typ="safe").load(block.text)["nightly"]["script"]))
            case ("yaml" | "sh" | "python", name) if name not in {"", "labgrid"}:
                reader.write(block)
    assert ran >= 8
    _leaves_what_it_promises(reader.folder)


def _leaves_what_it_promises(folder: Path) -> None:
    runs = sorted((folder / "runs" / "lab" / "nightly").glob("*/results.json"))
    results = [read_results(path.parent) for path in runs]
    assert len({result.run for result in results}) >= 6
    assert all(result.exit_status == 0 for result in results)
    assert {case.board for case in results[0].cases} == {"qemu-stm32f405"}
    assert all(not case.compared.note for case in results[1].cases), "held to the baseline"
    suite = ET.parse(folder / "junit.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("failures")) == ("1", "0")
    assert "net@qemu-stm32f405/engine" in (folder / "history.html").read_text()


def test_the_maps_full_entry_is_one(tmp_path: Path) -> None:
    text = next(block.text for block in blocks() if (block.language, block.about) == ("yaml", ""))
    (tmp_path / "map.yaml").write_text(text)
    (entry,) = read_map(tmp_path / "map.yaml")
    assert entry.model_extra == {}
    assert (entry.board, entry.flash_timeout) == ("nucleo-f401re", 60)


def test_the_labgrid_part_runs_on_another_machines_board(
    reader: Reader,
    place: BoardEntry,
    labgrid: Path,
) -> None:
    """The place of the fixture is far-1 already, so it is made anew."""
    reader.environment.update({name: value for name, value in os.environ.items() if name.startswith("LG_")})
    reader.environment["PATH"] = f"{labgrid}:{reader.environment['PATH']}"
    reader.environment["TINYNAS_LOCKS"] = os.environ["TINYNAS_LOCKS"]
    reader.shell("labgrid-client -p far-1 delete")
    assert place.flash_command is not None
    script = "#!/bin/sh\nexec " + place.flash_command.replace("{elf}", '"$1"') + "\n"
    (reader.folder / "flash-far.sh").write_text(script)
    (reader.folder / "flash-far.sh").chmod(0o755)
    (reader.folder / "quarantine.yaml").touch()
    suite = next(block.text for block in blocks() if block.language == "toml")
    (reader.folder / "nightly.toml").write_text(suite)
    reader.write(next(block for block in blocks() if block.about == "far.yaml"))
    said = "".join(reader.shell(block.text) for block in blocks() if block.about == "labgrid")
    assert "1 passed" in said
