"""The Arduino port, built by PlatformIO as for a board, with an Arduino core of this machine in a board's place."""

from __future__ import annotations

import configparser
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.lab.nets import small_net
from tests.lab.tflm_double import write_double
from tests.lab.toy import toy
from tinynas.engine.generate import generate
from tinynas.errors import BoardError, ToolError
from tinynas.graph.interface import deployable
from tinynas.graph.tflite_reader import read_tflite
from tinynas.graph.tflm import TflmInterpreter
from tinynas.lab.board import Board, known_boards, load_board
from tinynas.lab.build import Image, build_image
from tinynas.lab.flashers.base import Target
from tinynas.lab.flashers.platformio import PlatformIoFlasher
from tinynas.lab.hardware import PlatformIo
from tinynas.lab.hostboard import HostBoard
from tinynas.lab.platformio_core import prepare
from tinynas.lab.rawlog import RawLog
from tinynas.lab.session import BoardSession
from tinynas.lab.sources import engine_sources, runner_sources
from tinynas.lab.tflm_build import PIO_LIBRARY, build_arduino_tflm
from tinynas.lab.tflm_model import generate_tflm, op_methods
from tinynas.plan.planner import plan
from tinynas.quantize.seeded import seeded_inputs
from tinynas.resources import resource

pytest.importorskip("platformio", reason="needs the extra [boards]")

DOUBLE = Path(__file__).parents[1] / "firmware" / "arduino_double"
MODEL = small_net(seed=5, side=32)  # its input comes in five frames
ARDUINO = [name for name in known_boards() if load_board(name).framework == "arduino"]
PROJECT = resource("firmware") / "platformio.ini"


@pytest.fixture(scope="module")
def board() -> Board:
    """A board of one's own: firmware/platformio.ini does not know it, its file names its PlatformIO platform."""
    written = Board.load(DOUBLE / "double.toml")
    assert written.hardware is not None
    pio = PlatformIo(protocol="custom", platform=f"symlink://{DOUBLE}")
    return written.model_copy(update={"hardware": written.hardware.model_copy(update={"pio": pio})})


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("pio")
    prepare(folder / "core")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLATFORMIO_CORE_DIR", str(folder / "core"))
        patch.setenv("PLATFORMIO_WORKSPACE_DIR", str(folder / "work"))
        patch.setenv("TINYNAS_CACHE", str(folder / "cache"))
        yield folder


@pytest.fixture(scope="module")
def built(board: Board, places: Path) -> Image:
    graph = read_tflite(MODEL)
    return build_image(generate(graph, plan(graph, board.core)), board, folder=places / "image")


@pytest.fixture
def session(built: Image, board: Board, tmp_path: Path) -> Iterator[BoardSession]:
    log = RawLog(tmp_path / "log")
    device = HostBoard(log)
    opened = BoardSession(board, device, log)
    opened.flash(built)
    yield opened
    device.close()
    log.close()


def test_the_runner_answers_and_its_outputs_are_the_interpreter_s(session: BoardSession) -> None:
    inputs = seeded_inputs(read_tflite(MODEL), seed=3)[0]
    with TflmInterpreter(MODEL) as reference:
        wanted = reference.run(inputs)
    for found, expected in zip(session.infer(inputs), wanted, strict=True):
        np.testing.assert_array_equal(found, expected.ravel())


def test_time_and_memory_are_told(session: BoardSession) -> None:
    assert session.time(20).latency_us > 0
    session.infer(seeded_inputs(read_tflite(MODEL), seed=3)[0])
    stats = session.stats()
    assert stats.canary == "whole"
    assert 256 <= stats.stack_bytes < stats.stack_reserved_bytes == session.board.stack_bytes // 2


def test_an_image_is_found_again_and_uploaded_after_another_was_built(
    built: Image, board: Board, places: Path, tmp_path: Path
) -> None:
    graph = read_tflite(MODEL)
    generated = generate(graph, plan(graph, board.core))
    first = build_image(generated, board)
    build_image(toy(), board)
    assert first.sha256 == built.sha256
    assert build_image(generated, board).elf == first.elf
    PlatformIoFlasher().flash(first.elf, board, Target(port=str(tmp_path / "board")))
    assert (tmp_path / "board").read_bytes() == built.elf.read_bytes()


@pytest.mark.parametrize("name", ARDUINO)
def test_the_port_compiles_for_the_core_without_a_warning(name: str, tmp_path: Path) -> None:
    """With Arm's compiler, against the API that the core promises; for the Xtensa cores a Cortex-M0 stands in."""
    board = load_board(name)
    compiler = shutil.which("arm-none-eabi-g++")
    if compiler is None:
        pytest.skip("needs arm-none-eabi-g++")
    cpu = board.core.value if board.core.is_arm else "cortex-m0"
    family = {"raspberry": "ARDUINO_ARCH_RP2040", "esp32": "ARDUINO_ARCH_ESP32", "xiao": "ARDUINO_NRF52_ADAFRUIT"}
    defines = [f"-D{macro}" for start, macro in family.items() if name.startswith(start)]
    sources = runner_sources(board)
    port = next(path for path in sources.files if path.suffix == ".cpp")
    language = ["-std=gnu++11", "-fno-exceptions", "-fno-rtti", "-Wall", "-Wextra", "-Wconversion", "-Werror"]
    includes = [f"-I{folder}" for folder in (*sources.includes, DOUBLE / "core")]
    flags = [*language, f"-mcpu={cpu}", "-mthumb", f"-DF_CPU={board.clock_hz}L", *defines, *sources.defines, *includes]
    command = [compiler, *flags, "-c", str(port), "-o", str(tmp_path / "port.o")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_another_clock_than_the_board_file_s_does_not_compile(tmp_path: Path) -> None:
    sources = runner_sources(load_board("teensy-41"))
    port = next(path for path in sources.files if path.suffix == ".cpp")
    includes = [f"-I{folder}" for folder in (*sources.includes, DOUBLE / "core")]
    command = ["g++", "-DF_CPU=528000000L", *sources.defines, *includes, "-c", str(port), "-o", str(tmp_path / "o")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "clock_hz is not what the Arduino core sets up" in done.stderr


@pytest.mark.parametrize("name", ARDUINO)
def test_its_environment_names_the_board_and_pins_the_platform(name: str) -> None:
    board = load_board(name)
    assert board.hardware is not None
    parser = configparser.ConfigParser()
    parser.read(PROJECT)
    section = parser[f"env:{board.environment}"]
    assert (section["extends"], section["custom_board"]) == ("arduino", name)
    assert section["board"] == board.hardware.platformio
    assert board.hardware.pio is not None
    assert section["upload_protocol"] == board.hardware.pio.protocol
    assert re.fullmatch(r"platformio/\w+@\d+\.\d+\.\d+|https://\S+\.git#[0-9a-f]{40}", section["platform"])
    if "board_build.f_cpu" in section:
        assert section["board_build.f_cpu"] == f"{board.clock_hz}L"


def test_packages_that_are_missing_are_not_fetched_but_named(places: Path, tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"not on this machine.*pio pkg install -d \S+ -e teensy_41"):
        build_image(toy(), load_board("teensy-41"), folder=tmp_path)


def test_of_a_board_of_one_s_own_the_platform_is_named(board: Board, places: Path, tmp_path: Path) -> None:
    assert board.hardware is not None
    pio = PlatformIo(protocol="custom", platform="platformio/atmelsam@8.3.0")
    own = board.model_copy(update={"hardware": board.hardware.model_copy(update={"pio": pio})})
    with pytest.raises(
        ToolError, match=r"PLATFORMIO_CORE_DIR=\S+ pio pkg install .*--platform platformio/atmelsam@8.3.0"
    ):
        build_image(toy(), own, folder=tmp_path)


def test_packages_that_are_there_are_used(places: Path, tmp_path: Path) -> None:
    """A platform of the right name and version, but hollow: PlatformIO takes it, and gets no farther."""
    folder = places / "core" / "platforms" / "teensy"
    folder.mkdir(parents=True)
    about = {"name": "teensy", "version": "5.1.0"}
    spec = {"owner": "platformio", "id": None, "name": "teensy", "requirements": "5.1.0", "uri": None}
    (folder / "platform.json").write_text(json.dumps({**about, "title": "", "description": "", "packages": {}}))
    (folder / ".piopm").write_text(json.dumps({**about, "type": "platform", "spec": spec}))
    with pytest.raises(ToolError, match="teensy-41: PlatformIO could not build it"):
        build_image(toy(), load_board("teensy-41"), folder=tmp_path)


def test_a_board_that_no_platform_is_known_of_is_told_so(tmp_path: Path) -> None:
    board = load_board("teensy-41").model_copy(update={"name": "my-teensy"})
    with pytest.raises(BoardError, match=r"no \[env:my_teensy\].*platform in \[hardware.pio\]"):
        build_image(toy(), board, folder=tmp_path)


def test_a_model_that_does_not_compile_is_an_error_of_one_line(board: Board, places: Path, tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"double: PlatformIO could not build it: .*nonsense"):
        build_image(toy(before="#error nonsense"), board, folder=tmp_path)


def test_engine_and_runner_compile_for_xtensa_without_a_warning(tmp_path: Path) -> None:
    """With Debian's compiler for the LX106, the LX6's smaller sibling, where it is installed."""
    compiler, libc = shutil.which("xtensa-lx106-elf-gcc"), Path("/usr/lib/xtensa-lx106-elf/include")
    if compiler is None or not libc.is_dir():
        pytest.skip("needs gcc-xtensa-lx106 and picolibc-xtensa-lx106-elf")
    board = load_board("esp32-devkitc")
    sources = (engine_sources(), runner_sources(board))
    files = [str(path) for part in sources for path in part.files if path.suffix == ".c"]
    flags = [*sources[1].defines, *(f"-I{folder}" for part in sources for folder in part.includes)]
    command = [compiler, "-std=gnu11", "-isystem", str(libc), "-Wall", "-Wextra", "-Werror", *flags, "-c", *files]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(list(tmp_path.glob("*.o"))) == len(files)


@pytest.fixture
def tflm_library(tmp_path: Path) -> str:
    """Upstream's interface as a PlatformIO library, and an interpreter that adds 1."""
    methods = op_methods(deployable(read_tflite(MODEL)))
    write_double(tmp_path / "lib" / "src", methods, 32 * 32, 2)
    for path in (*tmp_path.rglob("*_test.cc"), *tmp_path.rglob("examples/**/*.cc")):
        path.unlink()
    (tmp_path / "lib" / "library.json").write_text('{"name": "tflm_double", "version": "1.0.0"}')
    return f"symlink://{tmp_path / 'lib'}"


def test_upstream_s_interpreter_comes_as_a_library_of_platformio(
    places: Path, board: Board, tflm_library: str, tmp_path: Path
) -> None:
    image = build_arduino_tflm(generate_tflm(MODEL, 4096), board, tmp_path / "image", tflm_library)
    log = RawLog(tmp_path / "log")
    device = HostBoard(log)
    opened = BoardSession(board, device, log)
    opened.flash(image)
    given = np.random.default_rng(0).integers(-128, 128, (1, 32, 32, 1), np.int8)
    (found,) = opened.infer([given])
    device.close()
    log.close()
    assert found.tobytes() == (given.ravel()[:2].astype(int) + 1).astype(np.int8).tobytes()


def test_the_library_is_pinned() -> None:
    owner, _, version = PIO_LIBRARY.partition("@")
    assert owner.count("/") == 1 and re.fullmatch(r"\d+\.\d+\.\d+", version)
