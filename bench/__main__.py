"""`python -m bench`: the engine's figures on the virtual boards beside recorded ones of other engines."""

from __future__ import annotations

import hashlib
import json
import platform
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table
from tinynas.lab.measure import Measurement, measure

import tinynas
from bench.twins import TWINS, twin
from tinynas.lab.board import load_board

BOARDS = ("qemu-mps2-an386", "qemu-mps2-an500", "qemu-mps3-an547")
HERE = Path(__file__).parent


def find_models(folder: Path | None) -> dict[str, bytes]:
    """Models to measure: the .tflite files of `folder`, known ones under their short name; else the twins."""
    if folder is None:
        return {name: twin(name) for name in TWINS}
    known = {entry["sha256_prefix"]: name for name, entry in baselines()["models"].items()}
    return {
        known.get(sha256(path.read_bytes())[:16], path.stem): path.read_bytes()
        for path in sorted(folder.glob("*.tflite"))
    }


def sha256(data: bytes) -> str:
    """Hex digest."""
    return hashlib.sha256(data).hexdigest()


def baselines() -> dict[str, Any]:
    """Recorded figures with their provenance."""
    return tomllib.loads((HERE / "baselines.toml").read_text())


def recorded(core: str, model: str, field: str) -> dict[str, int]:
    """Engine to its recorded figure, where there is one."""
    rows = (row for row in baselines()["figures"] if row["core"] == core)
    return {row["engine"]: row[field][model] for row in rows if model in row.get(field, {})}


def cell(ours: int | None, theirs: dict[str, int]) -> str:
    """Our figure, and in brackets how many times larger each recorded one is."""
    if ours is None:
        return "-"
    ratios = ", ".join(f"{engine} {figure / ours:.2f}x" for engine, figure in theirs.items())
    return f"{ours:,}" + (f"\n[dim]{ratios}[/dim]" if ratios else "")


def board_table(board: str, rows: dict[str, Measurement]) -> Table:
    """One board's figures."""
    core = str(load_board(board).core)
    floors = baselines()["models"]
    floor_key = "floor_m55" if core == "cortex-m55" else "floor_m4"
    table = Table(title=f"{board} ({core}); recorded / ours in grey", show_lines=True)
    for column in ("model", "instructions", "i/MAC", "x floor", "peak SRAM B", "flash B", "bit-exact"):
        table.add_column(column, justify="left" if column == "model" else "right")
    for model, row in rows.items():
        floor = floors.get(model, {}).get(floor_key)
        table.add_row(
            model,
            cell(row.instructions, recorded(core, model, "instructions")),
            f"{row.instructions / row.macs:.2f}" if row.instructions else "-",
            f"{row.instructions / floor:.2f}" if floor and row.instructions else "-",
            cell(row.peak_sram_bytes, recorded(core, model, "sram_bytes")),
            cell(row.flash_bytes, recorded(core, model, "flash_bytes")),
            str(row.bit_exact),
        )
    return table


def main(
    models: Annotated[Path | None, typer.Option(help="Folder of int8 .tflite files; default: self-made twins.")] = None,
    board: Annotated[list[str] | None, typer.Option(help="Boards to measure on; default: M4, M7 and M55.")] = None,
    out: Annotated[Path, typer.Option(help="Where the raw figures go.")] = Path("build/bench.json"),
) -> None:
    """Measure instructions, memory and bit-exactness of every model on every board."""
    console, found, raw = Console(), find_models(models), []
    for name in board or BOARDS:
        target = load_board(name)
        rows = {
            model: measure(data, target)
            for model, data in track(found.items(), f"{name}", console=Console(stderr=True))
        }
        raw += [{"model": model, **row.model_dump()} for model, row in rows.items()]
        console.print(board_table(name, rows))
    out.parent.mkdir(parents=True, exist_ok=True)
    stamp = {"tinynas": tinynas.__version__, "machine": platform.platform(), "utc": datetime.now(UTC).isoformat()}
    out.write_text(json.dumps({**stamp, "figures": raw}, indent=1, default=str))
    console.print(f"raw figures: {out}")


if __name__ == "__main__":
    typer.run(main)
