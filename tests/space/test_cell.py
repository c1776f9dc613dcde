from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from tinynas.errors import ConfigError
from tinynas.space import cell as registry
from tinynas.space.cell import Cell, cell, cells, parts_of, register
from tinynas.space.layers import layers
from tinynas.space.netspec import BlockSpec, NetSpec
from tinynas.space.parts import Chain
from tinynas.space.stage import StageSpace

BLOCK = BlockSpec(8, 24, 8, 5, 1, "relu", attention="squeeze_excite")


def named(name: str, block: BlockSpec = BLOCK) -> BlockSpec:
    return BlockSpec(*(block.in_channels, block.hidden_channels, block.out_channels), block.kernel, block.stride,
                     block.activation, name, block.attention)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "weights"),
    [
        ("inverted_residual", 8 * 24 + 25 * 24 + 24 * 8),
        ("fused_inverted_residual", 25 * 8 * 24 + 24 * 8),
        ("depthwise_separable", 25 * 8 + 8 * 8),
        ("plain_residual", 25 * 8 * 8 + 25 * 8 * 8),
    ],
)
def test_macs_by_hand(name: str, weights: int) -> None:
    """Each weight is used once per pixel; squeeze-excite's two convolutions work on a single one."""
    spec = NetSpec((7, 5, 1), 2, 8, 1, ((named(name),),), 0)
    block = [layer for layer in layers(spec) if layer.name.startswith("s0b0.")]
    attention = [layer for layer in block if layer.name.startswith("s0b0.se_")]
    assert sum(layer.macs for layer in block) - sum(layer.macs for layer in attention) == 35 * weights
    assert [layer.kind for layer in attention] == ["global_pool", "conv", "conv", "mul"]
    assert attention[1].out_shape == (1, 1, 8)  # a quarter of the channels, rounded to 8
    assert block[-1].kind == "add"


def test_every_file_registers_its_cell() -> None:
    files = (Path(registry.__file__).parent / "cells").glob("[a-z]*.py")
    assert set(cells()) == {path.stem for path in files}
    chosen = {name for name, found in cells().items() if not found.rectified}
    assert chosen >= {"inverted_residual", "fused_inverted_residual", "depthwise_separable", "plain_residual"}
    assert "mobilenet_v1" not in chosen
    assert len({found.short for found in cells().values()}) == len(cells())
    with pytest.raises(ConfigError, match="no cell 'vgg'; known: depthwise_separable, fused_inverted"):
        cell("vgg")
    with pytest.raises(ValueError, match="'inverted_residual' is registered twice"):
        register(cell("inverted_residual"))


def activated(block: BlockSpec, chain: Chain) -> None:
    chain.conv("only", block.out_channels, activation="relu")


def twice(block: BlockSpec, chain: Chain) -> None:
    chain.conv("one", block.out_channels)
    chain.conv("one", block.out_channels)


def weighed_last(block: BlockSpec, chain: Chain) -> None:
    chain.conv("one", block.out_channels)
    chain.attention(block.attention)


def weighed_sum(block: BlockSpec, chain: Chain) -> None:
    weighed_last(block, chain)
    chain.add_input("add")


def narrow(block: BlockSpec, chain: Chain) -> None:
    chain.conv("one", block.out_channels - 1)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda block, chain: None, "does not end with 8 channels"),
        (narrow, "does not end with 8 channels"),
        (twice, "two of its parts have one name"),
        (activated, "ends with an activation, 'relu'"),
        (weighed_last, "attention is not followed by a convolution"),
        (weighed_sum, "attention is not followed by a convolution"),
    ],
)
def test_a_cell_that_would_not_work_is_refused(
    build: Callable[[BlockSpec, Chain], None], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"tried {build.__name__}"
    monkeypatch.setitem(registry._CELLS, name, Cell(name, "x", build))
    with pytest.raises(ConfigError, match=message):
        parts_of(named(name))


def test_blocks_that_end_with_an_activation_are_no_choice_of_a_search() -> None:
    with pytest.raises(ValidationError, match="mobilenet_v1 blocks end with an activation"):
        StageSpace(out_channels=8, depths=(1,), expand_ratios=(2,), cells=("mobilenet_v1",))
