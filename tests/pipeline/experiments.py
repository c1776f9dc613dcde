"""A whole experiment, shrunken: real stages on scikit-learn's digits, seconds instead of minutes."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tinynas.pipeline.log import read_events

DIGITS = """\
[data]
dataset = "digits"
resolution = 16
train_images = 320
validation_images = 100
test_images = 40
"""

CHEAP = """\
[baselines]
widths = [0.1]

[quantise]
calibration_images = 32
candidate_images = 4
"""

TINY = (
    """\
name = "tiny"
seed = 3

"""
    + DIGITS
    + """
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

"""
    + CHEAP
)

OFA = (
    """\
name = "ofa"
method = "ofa"
seed = 3

"""
    + DIGITS
    + """
[space]
resolutions = [12, 16]
stem = { channels = 8, stride = 1 }
stages = [
  { out_channels = 8, stride = 2, depths = [1, 2], kernels = [3, 5], expand_ratios = [2, 3] },
  { out_channels = 16, stride = 2, depths = [1, 2], kernels = [3], expand_ratios = [2, 3] },
]
head_channels = 0

[ofa.training]
largest = { epochs = 3, lr = 8e-3 }
kernel = { epochs = 1, lr = 4e-3 }
depth_2 = { epochs = 1, lr = 4e-3, subnets = 2 }
width_2 = { epochs = 1, lr = 4e-3, subnets = 2 }

[ofa.predictor]
n_fit = 20
n_heldout = 8
mlp = { hidden = 32, epochs = 60 }

[ofa.latency_table]
nets = 40
check_nets = 12

[ofa.search]
population = 12
generations = 2
targets = 2

[finetune]
front = { epochs = 1 }
chosen = { epochs = 1 }

"""
    + CHEAP
)


def write_tiny(folder: Path, text: str = TINY) -> Path:
    """The experiment as a file."""
    path = folder / "tiny.toml"
    path.write_text(text)
    return path


def summary(folder: Path) -> dict[str, Any]:
    """What the run in `folder` says of itself."""
    found: dict[str, Any] = json.loads((folder / "summary.json").read_text())
    return found


def computed(folder: Path, sitting: int = 1) -> set[str]:
    """Stages that did work in a sitting."""
    return {e["stage"] for e in read_events(folder / "log.jsonl") if e["sitting"] == sitting and e["event"] == "begin"}


def start_and_kill(path: Path, name: str, stage: str, after_s: float) -> None:
    """Run the experiment `name` in another process; kill -9 that a while after it has begun `stage`."""
    code = (
        "import sys; from pathlib import Path; from tinynas.pipeline.run import run_experiment; "
        "run_experiment(Path(sys.argv[1]), runs=Path(sys.argv[1]).parent, workers=2)"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(path)], stderr=subprocess.DEVNULL)
    log = path.parent / name / "log.jsonl"
    while process.poll() is None and not any(e["event"] == "begin" and e["stage"] == stage for e in read_events(log)):
        time.sleep(0.02)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(after_s)
    process.kill()
    process.wait()
