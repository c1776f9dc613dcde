"""A whole experiment, shrunken: real stages on scikit-learn's digits, seconds instead of minutes."""

from __future__ import annotations

from pathlib import Path

TINY = """\
name = "tiny"
seed = 3

[data]
dataset = "digits"
resolution = 16
train_images = 320
validation_images = 100
test_images = 40

[space]
resolutions = [12, 16]
stem = { channels = 8 }
stages = [
  { out_channels = 8, stride = 1, depths = [1], kernels = [3], expand_ratios = [1, 3] },
  { out_channels = 16, stride = 2, depths = [1, 2], kernels = [3], expand_ratios = [1, 3] },
]
head_channels = 0

[space_choice]
resolutions = 2

[reference]
epochs = 3

[predictor]
n_fit = 4
n_heldout = 2
finetune = { epochs = 1 }

[search]
population = 6
generations = 1

[finetune]
networks = 4
front_entries = 3
front = { epochs = 2 }
chosen = { epochs = 1 }

[baselines]
widths = [0.1]

[quantise]
calibration_images = 32
candidate_images = 4
"""


def write_tiny(folder: Path, text: str = TINY) -> Path:
    """The experiment as a file."""
    path = folder / "tiny.toml"
    path.write_text(text)
    return path
