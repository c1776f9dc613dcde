"""What a user can mend is one line that names the input, and exit status 2; anything else keeps its traceback."""

from __future__ import annotations

import errno
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Tinynas
from tinynas.cli import boards as boards_command
from tinynas.errors import FitError, LinkError
from tinynas.resources import resource

ON_BOARD = (("fit",), ("flash",), ("time",), ("profile",))
BAD_MODELS = {
    "truncated": "truncated",
    "float": "float",
    "unknown_op": "LSH_PROJECTION",
    "text": "not a .tflite",
    "missing": "No such file",
}


def check_one_line(status: int, err: str, *words: str) -> None:
    assert status == 2
    assert err.count("\n") == 1, err
    assert err.startswith("tinynas: ")
    for word in words:
        assert word.lower() in err.lower()


@pytest.mark.parametrize("command", ON_BOARD)
@pytest.mark.parametrize(("name", "words"), BAD_MODELS.items())
def test_a_bad_model_is_named(tinynas: Tinynas, models: Path, command: tuple[str], name: str, words: str) -> None:
    model = models / f"{name}.tflite"
    result = tinynas(*command, model, "--board", "qemu-stm32f405")
    check_one_line(result.status, result.err, str(model), words)


@pytest.mark.parametrize("name", BAD_MODELS)
def test_eval_names_a_bad_model(tinynas: Tinynas, models: Path, name: str) -> None:
    model = models / f"{name}.tflite"
    result = tinynas("eval", model, "--data", "digits")
    check_one_line(result.status, result.err, str(model), BAD_MODELS[name])


@pytest.mark.parametrize("command", ON_BOARD)
def test_an_unknown_board_lists_the_known(tinynas: Tinynas, models: Path, command: tuple[str]) -> None:
    result = tinynas(*command, models / "good.tflite", "--board", "no-such-board")
    check_one_line(result.status, result.err, "no-such-board", "qemu-stm32f405")


def test_a_board_file_with_a_wrong_key_names_it(tinynas: Tinynas, models: Path, tmp_path: Path) -> None:
    board = tmp_path / "mine.toml"
    board.write_text('name = "mine"\nclok_hz = 3\n')
    result = tinynas("fit", models / "good.tflite", "--board", board)
    check_one_line(result.status, result.err, str(board))


@pytest.mark.parametrize(
    ("content", "word"),
    [("bord = 'host'\n", "bord"), ("seed = 'x'\n", "seed"), ("seed = \n", "TOML"), (None, "no such")],
)
def test_a_wrong_experiment_names_file_and_key(
    tinynas: Tinynas, tmp_path: Path, content: str | None, word: str
) -> None:
    experiment = tmp_path / "mine.toml"
    if content is not None:  # on top of an experiment without fault
        demo = (resource("experiments") / "demo.toml").read_text().splitlines(keepends=True)
        experiment.write_text(content + "".join(line for line in demo if not line.startswith("seed ")))
    result = tinynas("run", experiment)
    check_one_line(result.status, result.err, str(experiment), word)


def without(tool: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hides one tool, as on a machine that lacks it."""
    which = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name, *_, **__: None if tool in str(name) else which(name))


@pytest.mark.parametrize(
    ("board", "tool"),
    [("qemu-stm32f405", "arm-none-eabi-gcc"), ("qemu-stm32f405", "qemu-system-arm"), ("host", "gcc")],
)
def test_a_missing_tool_is_named_with_its_package(
    tinynas: Tinynas, models: Path, monkeypatch: pytest.MonkeyPatch, board: str, tool: str
) -> None:
    without(tool, monkeypatch)
    result = tinynas("time", models / "good.tflite", "--board", board)
    check_one_line(result.status, result.err, tool, "apt-get install")


def test_with_an_empty_path_every_command_for_boards_says_what_is_missing(
    tinynas: Tinynas, models: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for command in ("fit", "flash", "time", "profile"):
        result = tinynas(command, models / "good.tflite", "--board", "qemu-stm32f405")
        check_one_line(result.status, result.err, "not installed", "apt-get install")


def test_without_tflm_s_sources_the_way_to_get_them_is_told(
    tinynas: Tinynas, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TINYNAS_TFLM", raising=False)
    result = tinynas("time", models / "good.tflite", "--board", "qemu-stm32f405", "--runtime", "tflm")
    check_one_line(result.status, result.err, "create_tflm_tree.py", "TINYNAS_TFLM")


def test_unknown_data_lists_the_known(tinynas: Tinynas, models: Path) -> None:
    result = tinynas("eval", models / "good.tflite", "--data", "no-such-data")
    check_one_line(result.status, result.err, "no-such-data", "facewake", "digits")


def test_data_of_other_classes_are_refused(tinynas: Tinynas, models: Path) -> None:
    result = tinynas("eval", models / "good.tflite", "--data", "digits")
    check_one_line(result.status, result.err, "label 9", "2 classes")


def raising(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes `tinynas boards` fail with `error`."""

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(boards_command, "print_json", fail)


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (FitError("needs 10 B\ntoo many", 10), "needs 10 B too many"),
        (LinkError("the board says nothing"), "says nothing"),
        (OSError(errno.ENOSPC, "No space left on device"), "free some space"),
        (OSError(errno.ENOSPC, "No space left on device", "runs/x"), "runs/x"),
        (PermissionError(errno.EACCES, "Permission denied", "model.tflite"), "model.tflite"),
    ],
)
def test_errors_become_one_line(tinynas: Tinynas, monkeypatch: pytest.MonkeyPatch, error: Exception, word: str) -> None:
    raising(error, monkeypatch)
    result = tinynas("boards", "--json")
    check_one_line(result.status, result.err, word)


def test_a_bug_of_ours_keeps_its_traceback(tinynas: Tinynas, monkeypatch: pytest.MonkeyPatch) -> None:
    raising(KeyError("ours"), monkeypatch)
    with pytest.raises(KeyError, match="ours"):
        tinynas("boards", "--json")


def test_interruption_has_its_own_status(tinynas: Tinynas, monkeypatch: pytest.MonkeyPatch) -> None:
    raising(KeyboardInterrupt(), monkeypatch)
    assert tinynas("boards", "--json").status == 130


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ((), "no command"),
        (("boards", "--wrong"), "--wrong"),
        (("fit",), "MODEL"),
        (("fit", "model.tflite"), "--board"),
        (("time", "model.tflite", "--board", "host", "--runtime", "other"), "'engine', 'tflm'"),
        (("no-such-command",), "no-such-command"),
    ],
)
def test_wrong_usage_is_one_line_too(tinynas: Tinynas, arguments: tuple[str, ...], word: str) -> None:
    result = tinynas(*arguments)
    check_one_line(result.status, result.err, word, "--help")


def test_a_missing_extra_is_named(tmp_path: Path) -> None:
    """As after a plain `pip install tinynas`, which brings no torch."""
    script = "import sys; sys.modules['torch'] = None; from tinynas.cli.main import run; run()"
    command = [sys.executable, "-c", script, "run", str(resource("experiments") / "demo.toml")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    check_one_line(done.returncode, done.stderr, "torch", "tinynas[train]")
