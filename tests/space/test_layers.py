from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinynas.errors import ConfigError
from tinynas.space.layers import layers
from tinynas.space.netspec import BlockSpec, NetSpec


@st.composite
def specs(draw: st.DrawFn) -> NetSpec:
    channels = st.integers(1, 12)
    stem, last, stages = draw(channels), 0, []
    last = stem
    for _ in range(draw(st.integers(1, 3))):
        blocks = []
        for _ in range(draw(st.integers(1, 3))):
            out = draw(channels)
            hidden = last * draw(st.integers(1, 4))
            block = BlockSpec(last, hidden, out, draw(st.sampled_from([3, 5, 7])), draw(st.sampled_from([1, 2])))
            blocks.append(block)
            last = out
        stages.append(tuple(blocks))
    shape = (draw(st.integers(1, 40)), draw(st.integers(1, 40)), draw(st.sampled_from([1, 3])))
    return NetSpec(shape, 2, stem, draw(st.sampled_from([1, 2])), tuple(stages), draw(st.integers(0, 9)))


@given(specs())
def test_every_layer_reads_earlier_ones_of_the_shape_it_says(spec: NetSpec) -> None:
    shapes = {"input": spec.input_shape}
    for layer in layers(spec):
        assert shapes[layer.inputs[0]] == layer.in_shape
        if layer.kind == "add":
            assert shapes[layer.inputs[1]] == layer.in_shape == layer.out_shape
        assert layer.name not in shapes
        shapes[layer.name] = layer.out_shape
    assert shapes["softmax"] == (1, 1, spec.classes)


@given(specs())
def test_names_and_counts_follow_the_blocks(spec: NetSpec) -> None:
    names = [layer.name for layer in layers(spec)]
    for stage, blocks in enumerate(spec.stages):
        for index, block in enumerate(blocks):
            expected = ["expand"] if block.hidden_channels != block.in_channels else []
            expected += ["depthwise", "project"] + (["add"] if block.residual else [])
            prefix = f"s{stage}b{index}."
            assert [n.removeprefix(prefix) for n in names if n.startswith(prefix)] == expected
    assert names[0] == "stem"
    assert ("head" in names) == bool(spec.head_channels)
    assert names[-3:] == ["pool", "classifier", "softmax"]


def test_same_padding_halves_odd_sizes_upwards() -> None:
    spec = NetSpec((49, 37, 1), 2, 8, 2, ((BlockSpec(8, 8, 16, 7, 2),),), 0)
    by_name = {layer.name: layer for layer in layers(spec)}
    assert by_name["stem"].out_shape == (25, 19, 8)
    assert by_name["s0b0.depthwise"].out_shape == (13, 10, 8)
    assert by_name["s0b0.depthwise"].inputs == ("stem",)


def test_macs_of_a_known_net() -> None:
    """Worked by hand: stem 8*8*4*9, expand 8*8*8*4, depthwise 4*4*8*9, project 4*4*4*8, linear 4*2."""
    spec = NetSpec((16, 16, 1), 2, 4, 2, ((BlockSpec(4, 8, 4, 3, 2),),), 0)
    assert sum(layer.macs for layer in layers(spec)) == 2304 + 2048 + 1152 + 512 + 8


def test_only_project_add_and_tail_are_linear() -> None:
    spec = NetSpec((16, 16, 1), 2, 4, 2, ((BlockSpec(4, 8, 4, 3, 1, "relu"),),), 8, "relu6")
    found = {layer.name: layer.activation for layer in layers(spec)}
    assert found == {
        "stem": "relu6",
        "s0b0.expand": "relu",
        "s0b0.depthwise": "relu",
        "s0b0.project": "none",
        "s0b0.add": "none",
        "head": "relu6",
        "pool": "none",
        "classifier": "none",
        "softmax": "none",
    }


def test_mismatched_channels_are_named() -> None:
    spec = NetSpec((16, 16, 1), 2, 4, 2, ((BlockSpec(6, 8, 4, 3, 1),),), 0)
    with pytest.raises(ConfigError, match="s0b0 takes 6 channels, but 'stem' gives 4"):
        layers(spec)
