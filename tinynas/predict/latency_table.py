"""A board's latency table (Once-for-All, arXiv 1908.09791 section 3.4): what each block takes, so that a sum will do.

Blocks are measured where they run, inside whole networks: alone, a block may get another schedule than between its
neighbours. What a block takes is then estimated in two steps. Its work (multiply-accumulates, values written, calls, by
kind of operation) costs a fixed time per unit, non-negative least squares over all networks; its own deviation from
that is shrunk towards none (ridge, as much as leaving each network out calls for), since networks tell it apart
from its neighbours' only in part. So a few networks price a space of thousands of blocks.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, PrivateAttr, ValidationError

from tinynas.errors import StoreError
from tinynas.predict.kendall import kendall_tau
from tinynas.space.layers import layers, same_shape
from tinynas.space.netspec import BlockSpec, LayerSpec, NetSpec

Floats = NDArray[np.float64]

RIDGES = (0.01, 0.1, 1.0, 10.0, 1e6)  # the last leaves no deviation


@dataclass(frozen=True)
class Piece:
    """A part of a network that is priced as one: a block at its input shape, or stem, head and classifier."""

    key: str  # kind, input shape, hidden and output channels, kernel, stride, ...: all that its latency depends on
    layers: tuple[LayerSpec, ...]

    @property
    def work(self) -> dict[str, float]:
        """Units of each kind of work."""
        total: dict[str, float] = {}
        for layer in self.layers:
            for kind, units in _work(layer):
                total[kind] = total.get(kind, 0.0) + units
        return total


def pieces(spec: NetSpec) -> list[Piece]:
    """The pieces of a network, in order."""
    groups: dict[str, list[LayerSpec]] = {}
    for layer in layers(spec):
        groups.setdefault(layer.name.partition(".")[0], []).append(layer)
    found = []
    for stage, blocks in enumerate(spec.stages):
        for index, block in enumerate(blocks):
            own = groups.pop(f"s{stage}b{index}")
            found.append(Piece(_block_key(block, own[0].in_shape), tuple(own)))
    return [*found, *(Piece(_end_key(own[0]), tuple(own)) for own in groups.values())]


def _place_keys(spec: NetSpec) -> Iterator[tuple[object, ...]]:
    """For each block, then for the ends together, what its latency depends on; cheaper than its pieces."""
    shape = same_shape(spec.input_shape, spec.stem_channels, spec.stem_stride)
    for block in itertools.chain(*spec.stages):
        yield (block, shape)
        shape = same_shape(shape, block.out_channels, block.stride)
    yield (spec.input_shape, shape, spec.stem_channels, spec.stem_stride, spec.head_channels, spec.classes)


def _block_key(block: BlockSpec, shape: tuple[int, int, int]) -> str:
    height, width, cin = shape
    options = [block.activation, *([block.attention] if block.attention != "none" else [])]
    sizes = f"{height}x{width}x{cin} {block.hidden_channels}>{block.out_channels}"
    return f"{block.cell} {sizes} k{block.kernel} s{block.stride} {' '.join(options)}"


def _end_key(layer: LayerSpec) -> str:
    sizes = f"{'x'.join(map(str, layer.in_shape))}>{layer.out_shape[2]}"
    return f"{layer.name} {sizes} s{layer.stride} {layer.activation}"


def _work(layer: LayerSpec) -> Iterator[tuple[str, float]]:
    """Kinds of work in a layer, and how much of each."""
    height, width, channels = layer.out_shape
    outputs, inputs = height * width * channels, float(np.prod(layer.in_shape))
    name = f"{layer.kind}{layer.kernel}" if layer.kind in ("conv", "depthwise") else layer.kind
    yield f"{name} MACs", float(layer.macs)
    yield f"{name} outputs", float(outputs)
    if layer.kind in ("conv", "global_pool"):
        yield f"{name} inputs", inputs
        yield f"{name} pixels", float(height * width)
    if layer.activation.startswith("hard"):
        yield f"{layer.activation} outputs", float(outputs)
    yield "calls", 1.0


class Entry(BaseModel, frozen=True, extra="forbid"):
    """What a piece takes."""

    latency_us: float
    nets: int  # measured networks that have it


class TableCheck(BaseModel, frozen=True, extra="forbid"):
    """The table against whole networks that it was not built from."""

    nets: int
    mape: float  # mean of |predicted / measured - 1|
    worst: float  # largest of those
    kendall_tau: float
    kendall_tau_macs: float  # of ordering the same networks by their MACs


class LatencyTable(BaseModel, frozen=True, extra="forbid"):
    """Latencies of pieces on one board."""

    board: str
    us_per_unit: dict[str, float]  # of each kind of work
    entries: dict[str, Entry]  # by Piece.key
    ridge: float  # chosen from RIDGES
    nets: int  # measured to build it
    mape_loo: float  # leaving each of them out
    check: TableCheck | None = None

    _known: dict[tuple[object, ...], float] = PrivateAttr(default_factory=dict)  # of blocks and ends seen before

    def predict(self, spec: NetSpec) -> float:
        """Latency of a whole network, us. A search asks for tens of thousands, made of few blocks."""
        keys, known = list(_place_keys(spec)), self._known
        if any(key not in known for key in keys):
            found = pieces(spec)
            blocks, ends = found[: len(keys) - 1], found[len(keys) - 1 :]
            known.update({key: self.piece_us(piece) for key, piece in zip(keys, blocks, strict=False)})
            known[keys[-1]] = sum(self.piece_us(piece) for piece in ends)
        return sum(known[key] for key in keys)

    def piece_us(self, piece: Piece) -> float:
        """Latency of a piece, us; of one that no measured network has, by its work."""
        known = self.entries.get(piece.key)
        return known.latency_us if known else self._by_work(piece)

    def _by_work(self, piece: Piece) -> float:
        return sum(self.us_per_unit.get(kind, 0.0) * units for kind, units in piece.work.items())

    def checked(self, specs: Sequence[NetSpec], latency_us: Sequence[float]) -> LatencyTable:
        """The table with its predictions for other networks judged by their measured latencies."""
        guess, found = np.array([self.predict(spec) for spec in specs]), np.asarray(latency_us, np.float64)
        off = np.abs(guess / found - 1)
        macs = [float(sum(layer.macs for layer in layers(spec))) for spec in specs]
        check = TableCheck(
            nets=len(specs),
            mape=float(off.mean()),
            worst=float(off.max()),
            kendall_tau=kendall_tau(guess, found),
            kendall_tau_macs=kendall_tau(macs, found),
        )
        return self.model_copy(update={"check": check})

    @classmethod
    def load(cls, path: Path) -> LatencyTable:
        """Read the JSON that `tinynas latency-table` writes. Raises StoreError if it is none."""
        try:
            return cls.model_validate(json.loads(path.read_bytes()))
        except (OSError, ValueError, ValidationError) as error:
            raise StoreError(f"{path}: no latency table ({error}); build it again: tinynas latency-table") from error


def covering(specs: Sequence[NetSpec], count: int) -> list[int]:
    """Indices of `count` of the networks whose pieces are most varied: every one adds those that are rarest so far."""
    keys = [[piece.key for piece in pieces(spec)] for spec in specs]
    seen: dict[str, int] = {}
    left, chosen = list(range(len(specs))), list[int]()
    for _ in range(min(count, len(specs))):
        best = max(left, key=lambda index: sum(1 / (1 + 9 * seen.get(key, 0)) for key in keys[index]))
        left.remove(best)
        chosen.append(best)
        for key in keys[best]:
            seen[key] = seen.get(key, 0) + 1
    return chosen


def build_table(board: str, specs: Sequence[NetSpec], latency_us: Sequence[float]) -> LatencyTable:
    """The table that explains the measured latencies of these networks best; relative errors count alike."""
    cut = [pieces(spec) for spec in specs]
    found = {piece.key: piece for parts in cut for piece in parts}
    measured = np.asarray(latency_us, np.float64)
    counts = np.zeros((len(specs), len(found)))  # [net, piece]
    place = {key: index for index, key in enumerate(found)}
    for row, parts in zip(counts, cut, strict=True):
        np.add.at(row, [place[piece.key] for piece in parts], 1)
    kinds = sorted({kind for piece in found.values() for kind in piece.work})
    work = np.array([[piece.work.get(kind, 0.0) for kind in kinds] for piece in found.values()])
    per_unit = _per_unit(counts @ work, measured)
    by_work = work @ per_unit
    deviation, ridge, loo = _deviation(counts * by_work / measured[:, None], 1 - counts @ by_work / measured)
    return LatencyTable(
        board=board,
        us_per_unit=dict(zip(kinds, per_unit.tolist(), strict=True)),
        entries={
            key: Entry(latency_us=float(us), nets=int((counts[:, place[key]] > 0).sum()))
            for key, us in zip(found, by_work * (1 + deviation), strict=True)
        },
        ridge=ridge,
        nets=len(specs),
        mape_loo=loo,
    )


def _per_unit(work: Floats, measured: Floats) -> Floats:
    """Non-negative times per unit (kinds,) for which work (nets, kinds) explains the latencies (nets,) best."""
    from scipy.optimize import nnls  # half a second to import

    relative = work / measured[:, None]
    scale = np.maximum(relative.max(axis=0), 1e-300)  # kinds differ by orders of magnitude
    solution: Floats = nnls(relative / scale, np.ones(len(measured)))[0] / scale
    return solution


def _deviation(shares: Floats, rest: Floats) -> tuple[Floats, float, float]:
    """Relative deviation of each piece, the ridge, and the mean relative error of nets left out.

    shares (nets, pieces): part of a net's latency that the piece's work makes up; rest (nets,): what work leaves.
    """
    best: tuple[float, float, Floats] | None = None
    for ridge in RIDGES:
        inverse = np.linalg.inv(shares @ shares.T + ridge * np.eye(len(rest)))  # kernel form: fewer nets than pieces
        weights = inverse @ rest
        error = float(np.abs(weights / np.diag(inverse)).mean())  # leave-one-out residuals of ridge regression
        if best is None or error < best[0]:
            best = (error, ridge, shares.T @ weights)
    assert best is not None
    return best[2], best[1], best[0]
