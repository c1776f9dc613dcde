"""The plugin, in pytest runs of its own, on virtual boards."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.lab.nets import small_net
from tinynas.lab.hwmap import add_virtual
from tinynas.lab.locks import board_lock

pytest_plugins = ["pytester"]

MEASURE = """
def test_small(tinynas_board):
    found = tinynas_board.measure("net.tflite", repeats=1)
    assert found.bit_exact
    assert found.board == tinynas_board.entry.board == "qemu-stm32f405"
    assert "m-ready" in tinynas_board.session.log_path.read_text()
"""
EMPTY = "def test_it(tinynas_board): pass\n"


@pytest.fixture
def lab(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """One virtual board in map.yaml, with a fixture; locks of its own."""
    monkeypatch.setenv("TINYNAS_LOCKS", str(pytester.path / "locks"))
    monkeypatch.delenv("TINYNAS_MAP", raising=False)
    add_virtual(pytester.path / "map.yaml", ["qemu-stm32f405"])
    text = (pytester.path / "map.yaml").read_text()
    (pytester.path / "map.yaml").write_text(f"{text}  fixtures: [camera]\n")
    return pytester


def run(lab: pytest.Pytester, *options: str) -> pytest.RunResult:
    return lab.runpytest_inprocess("-rs", "--tinynas-map", "map.yaml", "-p", "no:cacheprovider", *options)


def test_a_model_is_measured_on_the_board(lab: pytest.Pytester) -> None:
    (lab.path / "net.tflite").write_bytes(small_net(0))
    lab.makepyfile(MEASURE)
    result = lab.runpytest_subprocess("--tinynas-map", "map.yaml", "--strict-markers")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["tinynas: boards of map.yaml"])


@pytest.mark.parametrize(
    ("mark", "reason"),
    [
        ('board="nucleo-f746zg"', "no nucleo-f746zg in map.yaml"),
        ('features=["lamp", "camera"]', "no board with camera, lamp in map.yaml"),
        ('board="qemu-stm32f405", features=["lamp"]', "no qemu-stm32f405 with lamp in map.yaml"),
    ],
)
def test_without_a_board_that_fits_a_test_is_skipped_with_the_reason(
    lab: pytest.Pytester, mark: str, reason: str
) -> None:
    lab.makepyfile(f"import pytest\n@pytest.mark.tinynas({mark})\n{EMPTY}")
    result = run(lab)
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines([f"SKIPPED*{reason}"])


def test_marks_of_module_and_test_add_up(lab: pytest.Pytester) -> None:
    lab.makepyfile(
        "import pytest\npytestmark = pytest.mark.tinynas(features=['camera'])\n"
        f"@pytest.mark.tinynas(board='qemu-stm32f405-1')\n{EMPTY}"
    )
    run(lab).assert_outcomes(passed=1)


def test_a_board_that_is_not_connected_is_named(lab: pytest.Pytester) -> None:
    path = lab.path / "map.yaml"
    path.write_text(path.read_text().replace("connected: true", "connected: false"))
    lab.makepyfile(EMPTY)
    result = run(lab)
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*qemu-stm32f405-1: not connected*"])


def test_without_a_map_everything_is_skipped_and_says_how_to_get_one(lab: pytest.Pytester) -> None:
    lab.makepyfile(EMPTY)
    result = lab.runpytest_inprocess("-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*--tinynas-map map.yaml*tinynas lab scan*"])


def test_a_mark_with_a_wrong_word_is_refused(lab: pytest.Pytester) -> None:
    lab.makepyfile(f"import pytest\n@pytest.mark.tinynas(bord='x')\n{EMPTY}")
    result = run(lab)
    result.stdout.fnmatch_lines(["*wanted @pytest.mark.tinynas(board=None, features=*"])
    assert result.ret != 0


def test_a_board_in_use_is_waited_for_or_the_holder_named(lab: pytest.Pytester) -> None:
    lab.makepyfile(EMPTY)
    with board_lock("qemu-stm32f405-1", "a long experiment"):
        result = run(lab, "--tinynas-wait", "0.1")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*no board is free:*a long experiment*"])

    held = threading.Event()

    def hold() -> None:
        with board_lock("qemu-stm32f405-1"):
            held.set()
            threading.Event().wait(3.0)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    run(lab).assert_outcomes(passed=1)
    thread.join()


def test_the_map_may_come_from_the_environment(lab: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYNAS_MAP", str(Path(lab.path) / "map.yaml"))
    lab.makepyfile(EMPTY)
    lab.runpytest_inprocess().assert_outcomes(passed=1)
