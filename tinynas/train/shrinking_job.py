"""The training of a supernet as a job of its own: in this process, or in several that torchrun starts.

`torchrun --nproc-per-node=4 -m tinynas.train.shrinking_job FOLDER` trains what FOLDER/job.json describes; the pipeline
writes that file and starts as many processes as `ofa.processes` says. Several machines work alike.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, NonNegativeInt, PositiveInt

from tinynas.data.config import DataConfig
from tinynas.errors import ToolError
from tinynas.space.elastic import ElasticSpace
from tinynas.train.config import HardwareConfig
from tinynas.train.shrinking_config import ShrinkingConfig

Row = dict[str, Any]
"""An epoch: phase, number, epochs, loss, images_per_s, seconds, cpu_seconds (of this process)."""


class SupernetJob(BaseModel, frozen=True, extra="forbid"):
    """A supernet to be trained into FOLDER/supernet.npz; checkpoint.npz and epochs.jsonl there tell how far it is."""

    space: ElasticSpace
    data: DataConfig
    training: ShrinkingConfig
    hardware: HardwareConfig
    seed: NonNegativeInt
    half: bool  # kept in float16
    threads: PositiveInt  # of each process

    def run(self, folder: Path, on_row: Callable[[Row], None] = lambda _: None) -> None:
        """Train, or go on. Under torchrun every process calls this, and the first one writes."""
        import torch

        from tinynas.data.load import load_dataset
        from tinynas.nets.elastic import ElasticNetwork, save_supernet
        from tinynas.resources import cache_dir
        from tinynas.train.shrinking import shrink
        from tinynas.train.shrinking_ranks import torchrun_ranks

        torch.set_num_threads(self.threads)
        supernet = ElasticNetwork(self.space, self.seed)
        train = load_dataset(self.data, cache_dir()).train
        with torchrun_ranks(self.hardware) as ranks:
            log = _Log(folder / "epochs.jsonl", on_row) if ranks.rank == 0 else lambda _: None
            shrink(
                supernet,
                train,
                self.training,
                self.seed,
                on_epoch=log,
                checkpoint=folder / "checkpoint.npz",
                hardware=self.hardware,
                ranks=ranks,
            )
            if ranks.rank == 0:
                save_supernet(folder / "supernet.npz", supernet, half=self.half)

    def run_in(self, processes: int, folder: Path, on_row: Callable[[Row], None]) -> None:
        """The same in several processes that torchrun starts.

        Raises:
            ToolError: one of them failed; what it said is on stderr.
        """
        (folder / "job.json").write_text(self.model_dump_json())
        torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
        environment = {"OMP_NUM_THREADS": str(self.threads), **os.environ}
        command = [*torchrun, "-m", "tinynas.train.shrinking_job", str(folder)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as started:
            assert started.stdout is not None
            for line in started.stdout:
                on_row(json.loads(line))
        if started.returncode:
            raise ToolError(
                f"training the supernet in {processes} processes ended with status {started.returncode} (its messages "
                "are above); set ofa.processes = 1, or mend that and run the same command again: whole epochs are kept"
            )


class _Log:
    """Epochs as lines of a file, over all sittings."""

    def __init__(self, path: Path, on_row: Callable[[Row], None]) -> None:
        self._path, self._on_row = path, on_row
        self._begun_s, self._begun_cpu_s = time.perf_counter(), time.process_time()

    def __call__(self, epoch: Any) -> None:
        now_s, now_cpu_s = time.perf_counter(), time.process_time()
        spent = {"seconds": now_s - self._begun_s, "cpu_seconds": now_cpu_s - self._begun_cpu_s}
        self._begun_s, self._begun_cpu_s = now_s, now_cpu_s
        row = {**vars(epoch), **{name: round(value, 2) for name, value in spent.items()}}
        with self._path.open("a") as file:
            file.write(json.dumps(row) + "\n")
        self._on_row(row)


def read_rows(path: Path) -> list[Row]:
    """The epochs in an epochs.jsonl, each once; a line that a killed run left half written is passed over."""
    rows: dict[int, Row] = {}
    for line in path.read_text().splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        rows[row["number"]] = row
    return [rows[number] for number in sorted(rows)]


def main() -> None:
    """One of torchrun's processes; the first one prints a line per epoch."""
    folder = Path(sys.argv[1])
    job = SupernetJob.model_validate_json((folder / "job.json").read_text())
    job.run(folder, lambda row: print(json.dumps(row), flush=True))


if __name__ == "__main__":
    main()
