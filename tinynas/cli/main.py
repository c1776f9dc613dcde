"""`tinynas`: the command line. One thin file per command; each imports what it needs when it runs."""

from __future__ import annotations

import errno
import sys
from typing import Annotated, Any

import typer

from tinynas import __version__
from tinynas.cli import (
    boards,
    convert,
    doctor,
    evaluate,
    export,
    fit,
    flash,
    lab,
    latency_table,
    mlperf,
    monitor,
    new,
    profile,
    report,
    run_experiment,
    space,
    time,
)
from tinynas.errors import TinyNasError

EXIT_USER_ERROR = 2
EXIT_INTERRUPTED = 130

app = typer.Typer(
    name="tinynas",
    help="Finds the int8 network that is most accurate on your microcontroller, and builds, flashes and times it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # a bug of ours keeps Python's own traceback
    rich_markup_mode="rich",
    epilog="Start with: tinynas doctor; tinynas run experiments/demo.toml",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(__version__)
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Finds the int8 network that is most accurate on your microcontroller, and builds, flashes and times it."""


COMMANDS = (  # name, function, example; in the order in which `tinynas --help` lists them
    ("doctor", doctor.doctor, "tinynas doctor --fix"),
    ("new", new.new, "tinynas new photos/ --board qemu-stm32f405 -o my.toml"),
    ("run", run_experiment.run_experiment, "tinynas run experiments/demo.toml --set board=qemu-mps2-an500"),
    ("space", space.space, "tinynas space experiments/vww.toml --samples 1000 -o spaces"),
    (
        "latency-table",
        latency_table.latency_table,
        "tinynas latency-table experiments/ofa.toml --board qemu-mps2-an500",
    ),
    ("convert", convert.convert, "tinynas convert net.keras -o net.tflite --data photos/ --samples 256"),
    ("fit", fit.fit, "tinynas fit model.tflite --board qemu-stm32f405"),
    ("flash", flash.flash, "tinynas flash model.tflite --board qemu-stm32f405"),
    ("time", time.time, "tinynas time model.tflite --board qemu-stm32f405 --json"),
    ("mlperf", mlperf.mlperf, "tinynas mlperf model.tflite vww01/ --board qemu-stm32f405 --mode performance"),
    ("monitor", monitor.monitor, "tinynas monitor --board nucleo-f401re   or   tinynas monitor --port /dev/ttyACM0"),
    ("profile", profile.profile, "tinynas profile model.tflite --board qemu-stm32f405 --check"),
    ("eval", evaluate.evaluate, "tinynas eval model.tflite --data facewake --board qemu-stm32f405"),
    ("export", export.export, "tinynas export model.tflite --to c -o lib/model --core cortex-m4"),
    ("report", report.report, "tinynas report runs/demo"),
)

for name, function, example in COMMANDS:
    app.command(name, epilog=f"Example: {example}")(function)
app.add_typer(boards.app, name="boards")
app.add_typer(lab.app, name="lab")


def run() -> None:
    """Entry point of the `tinynas` script: an error that the user can mend is one line and exit status 2."""
    try:
        _run_and_flush()
    except TinyNasError as error:
        _fail(str(error))
    except OSError as error:
        _fail(_os_error_line(error))
    except ModuleNotFoundError as error:
        _fail(_missing_package_line(error))
    except _UsageError as error:
        _fail(_usage_line(error))
    except (KeyboardInterrupt, typer.Abort):
        print("tinynas: interrupted; the same command continues", file=sys.stderr)
        sys.exit(EXIT_INTERRUPTED)


def _run_and_flush() -> None:
    """A full disk behind stdout shows only when its buffer is written, which Python would do too late to report."""
    try:
        status = app(standalone_mode=False)  # else typer prints wrong usage itself, in a box
    finally:
        sys.stdout.flush()
    if status == EXIT_INTERRUPTED:  # typer's own way of passing Ctrl-C on
        raise KeyboardInterrupt
    if status:
        sys.exit(status)


def _fail(message: str) -> None:
    print(f"tinynas: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(EXIT_USER_ERROR)


def _os_error_line(error: OSError) -> str:
    """What the operating system refused, and on which file; re-raises what no user can mend."""
    if error.errno is None or (error.filename is None and error.errno not in _DISK_FULL):
        raise error
    where = f"{error.filename}: " if error.filename else ""
    hint = (
        "; free some space and run the same command again: finished work is kept" if error.errno in _DISK_FULL else ""
    )
    return f"{where}{error.strerror}{hint}"


def _missing_package_line(error: ModuleNotFoundError) -> str:
    """Which extra brings what this command needs; re-raises for a package that a plain install has."""
    package = (error.name or "").partition(".")[0]
    if package not in _EXTRA_OF:
        raise error
    how = f"pip install 'tinynas[{_EXTRA_OF[package]}]'"
    return f"this command needs {package}, which is not installed; install it with: {how}"


_UsageError: type[Any] = typer.BadParameter.__mro__[1]  # click's; newer typer has its own copy of click


def _usage_line(error: Any) -> str:
    """What was wrong and where to look; typer has printed the help already where there was nothing but the name."""
    command = error.ctx.command_path if error.ctx else "tinynas"
    return f"{error.format_message().rstrip('.') or 'no command given'}; see: {command} --help"


_EXTRA_OF = {"torch": "train", "sklearn": "train", "tensorflow": "verify", "platformio": "boards"}  # package -> extra
_DISK_FULL = {errno.ENOSPC, errno.EDQUOT}
