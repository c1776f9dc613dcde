"""Writes a commented experiment for a user's own images."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tinynas.data.describe import Description
    from tinynas.lab.board import Board

INPUT_SHARE = (
    1 / 4
)  # of SRAM for the input image: the first layers of a MobileNet-like net need two or three times that
SIDES = (96, 80, 64, 48, 32)  # pixels; multiples of 16, as the strides halve an image up to four times

TEMPLATE = """\
# {classes} classes in {path}
#   {counts}
# {unreadable}
# Run it:            tinynas run {file}
# Change a setting:  tinynas run {file} --set search.generations=20

board = {board}  # {board_title}; `tinynas boards` lists the others
seed = 0  # fixes every draw; the same file gives the same result

[data]
dataset = {kind}  # {kind_words}
path = {path}
resolution = {resolution}  # pixels a side; the images are {width} x {height} (median)
channels = {channels}  # 1 grey, 3 RGB; {coloured:.0%} of the images have colour
# train_images, validation_images, test_images: how many of each; left out, all are shared 70 / 15 / 15

# [budget]  # left out: all of the board's memory, any latency
# sram_bytes = {sram_bytes}
# flash_bytes = {flash_bytes}
# latency_us = 100_000

# Networks to choose from: a stem, stages of inverted residuals (MobileNetV2), a head.
[space]
resolutions = {resolutions}  # input sides to try, up to data.resolution
widths = [0.5, 0.75, 1.0]  # channel multipliers; the best for the board is picked first
stem = {{ channels = 16, stride = 2 }}
head_channels = 96  # 0: no convolution before the last pool

[[space.stages]]
out_channels = 16
depths = [1, 2]  # blocks
kernels = [3, 5]  # sides of the depthwise convolution
expand_ratios = [2, 4]  # hidden channels / input channels

[[space.stages]]
out_channels = 24
stride = 2
depths = [1, 2, 3]
kernels = [3, 5]
expand_ratios = [3, 6]

[[space.stages]]
out_channels = 40
stride = 2
depths = [1, 2, 3]
kernels = [3, 5]
expand_ratios = [3, 6]

[[space.stages]]
out_channels = 64
stride = 2
depths = [1, 2, 3]
kernels = [3, 5]
expand_ratios = [3, 6]

[reference]  # the large net that teaches the others
epochs = {epochs}

[predictor]  # nets finetuned to learn how accuracy follows from the blocks
n_fit = 16
n_heldout = 4

[search]  # every candidate is built, flashed and timed
population = 24
generations = 10
"""


def experiment_text(found: Description, board_name: str, board: Board, output: Path) -> str:
    """The TOML of a first experiment on the images `found`, for `board`."""
    resolution = proposed_resolution(found, board)
    width, height = found.median_size
    return TEMPLATE.format(
        classes=len(found.classes),
        counts=", ".join(f"{name}: {count}" for name, count in zip(found.classes, found.counts, strict=True)),
        unreadable=_unreadable_line(found),
        file=output,
        board=_quoted(board_name),
        board_title=board.title,
        kind=_quoted(found.kind),
        kind_words="one subfolder per class" if found.kind == "folder" else "COCO annotations: is there a person?",
        path=_quoted(str(found.path.resolve())),
        resolution=resolution,
        resolutions=_resolutions(resolution),
        channels=found.channels,
        width=width,
        height=height,
        coloured=found.coloured,
        sram_bytes=board.sram.size_bytes,
        flash_bytes=board.flash.size_bytes,
        epochs=_epochs(sum(found.counts)),
    )


def proposed_resolution(found: Description, board: Board) -> int:
    """The description's proposal, or less where the input would take too much of the board's SRAM."""
    limit_bytes = board.sram.size_bytes * INPUT_SHARE
    sides = [side for side in SIDES if side <= found.resolution and side**2 * found.channels <= limit_bytes]
    return max(sides, default=SIDES[-1])


def _resolutions(largest: int) -> list[int]:
    """The proposed side and the next two below it, smallest first."""
    return sorted([side for side in SIDES if side <= largest][:3])


def _epochs(images: int) -> int:
    """About 100,000 images seen, within reason: small sets need more passes."""
    return min(max(round(100_000 / max(images, 1)), 15), 60)


def _unreadable_line(found: Description) -> str:
    if not found.unreadable:
        return "every image can be read"
    return f"{len(found.unreadable)} images cannot be read; mend or remove them before the run"


def _quoted(words: str) -> str:
    """A TOML basic string; JSON's escapes are among TOML's."""
    return json.dumps(words, ensure_ascii=False)
