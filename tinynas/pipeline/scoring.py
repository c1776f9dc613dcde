"""Zero-cost proxies of assembled networks, several processes side by side; each network's are kept in a file."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

from tinynas.data.config import DataConfig
from tinynas.distill.library import Library, open_library
from tinynas.nets.checkpoint import load_network
from tinynas.pipeline.files import read_json, write_json
from tinynas.pipeline.jobs import dataset
from tinynas.pipeline.probe import Probe, Prober
from tinynas.pipeline.zero_shot import naswot
from tinynas.space.space import Arch, SearchSpace

_NASWOT_IMAGES = 32


@dataclass(frozen=True)
class Scores:
    """Of a network that nothing was trained for; each is larger for a better network, but for the probe's NSR."""

    probe: Probe
    naswot: float

    @property
    def columns(self) -> list[float]:
        """What the predictor sees."""
        return [self.probe.accuracy, -self.probe.nsr, self.naswot]


@dataclass(frozen=True)
class Scored:
    """What networks are assembled from and judged on."""

    library: Path
    reference: Path  # checkpoint
    space: SearchSpace
    data: DataConfig
    seed: int  # of NASWOT's initial weights


@dataclass(frozen=True)
class ScoreJob:
    """Score one network of a library: half a second for one of a million multiply-accumulates."""

    folder: Path
    scored: Scored
    arch: Arch
    threads: int = 1

    @property
    def result(self) -> Path:
        return self.folder / f"{'-'.join(map(str, self.arch))}.json"

    def scores(self) -> Scores:
        """Once it has run."""
        found = read_json(self.result)
        return Scores(Probe(**found["probe"]), found["naswot"])

    def run(self) -> None:
        library, prober = _opened(self.scored)
        images = dataset(self.scored.data).train.images[:_NASWOT_IMAGES]
        score = naswot(library.space.netspec(self.arch), images, self.scored.seed)
        write_json(self.result, asdict(Scores(prober(library.assemble(self.arch)), score)))


@lru_cache(maxsize=1)
def _opened(scored: Scored) -> tuple[Library, Prober]:
    """Once per process: the reference's logits, which probes are fitted to, take as long as two networks."""
    library = open_library(load_network(scored.reference), scored.space, scored.library)
    return library, Prober(library.reference, dataset(scored.data))
