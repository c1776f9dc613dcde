"""`python -m bench.cells`: the table of docs/space.md, what one block of each kind takes on the virtual boards."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from tinynas.graph.ir import DType
from tinynas.graph.lower import bind, lower
from tinynas.graph.tflite_writer import write_tflite
from tinynas.quantize.calibrate import collect_ranges
from tinynas.quantize.ptq import quantize
from tinynas.space.blocks import StageOption, stage_blocks
from tinynas.space.netspec import AttentionName, NetSpec, Nonlinearity

BOARDS = ("qemu-stm32f405", "qemu-mps3-an547")
MAPS = ((24, 16), (6, 64))  # side, channels
KINDS: tuple[tuple[str, Nonlinearity, AttentionName], ...] = (
    ("inverted_residual", "relu6", "none"),
    ("inverted_residual", "hard_swish", "none"),
    ("inverted_residual", "relu6", "squeeze_excite"),
    ("fused_inverted_residual", "relu6", "none"),
    ("plain_residual", "relu6", "none"),
    ("depthwise_separable", "relu6", "none"),
)


def model(side: int, channels: int, cell: str, activation: Nonlinearity, attention: AttentionName) -> bytes:
    """An int8 network of one block with seeded weights: kernels have no branches that depend on data."""
    option = StageOption(1, 3, 4.0, cell, activation, attention, channels)
    spec = NetSpec((side, side, 1), 2, channels, 1, (stage_blocks(channels, channels, 1, option),), 0)
    rng, graph = np.random.default_rng(0), lower(spec, DType.FLOAT32)
    empty = (tensor for tensor in graph.tensors if tensor.const and tensor.data is None)
    bound = bind(graph, {tensor.name: rng.normal(0, 0.3, tensor.shape).astype(np.float32) for tensor in empty})
    return write_tflite(quantize(bound, collect_ranges(bound, rng.random((4, side, side, 1), np.float32))))


def block_costs(file: Path, board: str) -> tuple[int, int]:
    """Multiply-accumulates and instructions of the block's ops, checked against TFLite Micro."""
    command = [sys.executable, "-c", "from tinynas.cli.main import run; run()", "profile", str(file)]
    done = subprocess.run([*command, "--board", board, "--json", "--check"], capture_output=True, text=True, check=True)
    ops = json.loads(done.stdout)["ops"][1:-4]  # without stem, pool, classifier, reshape, softmax
    return sum(op["macs"] for op in ops), sum(op["instructions"] or 0 for op in ops)


def rows() -> list[str]:
    """One Markdown row per kind, in thousands."""
    made = []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "block.tflite"
        for kind in KINDS:
            cells = [", ".join(part for part in kind if part not in ("relu6", "none"))]
            for side, channels in MAPS:
                file.write_bytes(model(side, channels, *kind))
                costs = [block_costs(file, board) for board in BOARDS]
                cells += [f"{thousands / 1000:,.0f}" for thousands in (costs[0][0], *(c for _, c in costs))]
            made.append(f"| {' | '.join(cells)} |")
    return made


if __name__ == "__main__":
    print("| block | 24x24x16: MACs | M4 | M55 | 6x6x64: MACs | M4 | M55 |\n|---|---|---|---|---|---|---|")
    print("\n".join(rows()))
