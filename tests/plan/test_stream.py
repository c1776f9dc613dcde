"""Chains of convolutions in bands of rows: the same bytes, no row twice, less memory."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engine.cases import Net, out_size, zero_points
from tinynas.engine.host import HostModel
from tinynas.graph import ops
from tinynas.graph.ir import DType, Graph
from tinynas.lab.board import Core
from tinynas.plan.blocks import Block
from tinynas.plan.fusion import KEEP_ROWS
from tinynas.plan.options import Option, actions, option_of
from tinynas.plan.plan import Plan
from tinynas.plan.planner import Network, plan
from tinynas.quantize.seeded import seeded_inputs

relaxed = settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@st.composite
def chains(draw: st.DrawFn) -> Graph:
    """Two to four convolutions in a row; sometimes the input is read again at the end."""
    net = Net(np.random.default_rng(draw(st.integers(0, 2**32 - 1))))
    size = (draw(st.integers(9, 14)), draw(st.integers(7, 9)))
    x = net.input((1, *size, draw(st.sampled_from([1, 3, 4]))), 0.0117, draw(zero_points))
    last = x
    for _ in range(draw(st.integers(2, 4))):
        last = convolution(net, draw, last)
    if draw(st.booleans()):
        net.op("RELU", [x], net.output(net.tensors[x].shape, 0.02, -128))
    return replace(net.graph(), outputs=(last, *net.outputs))


def convolution(net: Net, draw: st.DrawFn, x: int) -> int:
    _, h, w, cin = net.tensors[x].shape
    depthwise, kernel = draw(st.booleans()), draw(st.sampled_from([1, 2, 3, 5]))
    strides, padding = (draw(st.integers(1, 2)), draw(st.integers(1, 2))), draw(st.sampled_from(list(ops.Padding)))
    if min(h, w) < kernel:
        padding = ops.Padding.SAME
    cout = cin if depthwise else draw(st.sampled_from([3, 4, 8]))
    weights = net.weights((1, kernel, kernel, cin) if depthwise else (cout, kernel, kernel, cin), 3 if depthwise else 0)
    out = [out_size(n, kernel, s, 1, padding) for n, s in zip((h, w), strides, strict=True)]
    y = net.tensor((1, *out, cout), 0.05, draw(zero_points))
    inputs = [x, weights, net.bias(weights, x, cout)]
    attrs = (ops.DepthwiseConv2D if depthwise else ops.Conv2D)(*strides, padding)
    net.op("DEPTHWISE_CONV_2D" if depthwise else "CONV_2D", inputs, y, attrs)
    return y


def in_bands(graph: Graph, core: Core, draw: st.DataObject) -> Plan:
    """A plan that takes any chains in bands, whether they save memory or not."""
    network = Network(graph, core)
    return network.placed([any_chains(cut.block, draw) for cut in network.cuts])


def any_chains(block: Block, draw: st.DataObject) -> Option:
    chosen, at = [], 0
    while at < len(block.works):
        able = sorted((a for a in actions(block) if a.first == at), key=lambda a: a.band_rows, reverse=True)
        chosen.append(draw.draw(st.sampled_from(able), label="action"))
        at = chosen[-1].end
    return option_of(tuple(chosen))


@pytest.mark.parametrize("core", [Core.HOST, Core.M4])
def test_bands_give_the_same_bytes(core: Core) -> None:
    @relaxed
    @given(chains(), st.data())
    def check(graph: Graph, draw: st.DataObject) -> None:
        inputs = seeded_inputs(graph, 0)[0]
        wanted = HostModel(graph, plan(graph, Core.HOST, streamed=False)).run(inputs)
        for found, expected in zip(HostModel(graph, in_bands(graph, core, draw)).run(inputs), wanted, strict=True):
            np.testing.assert_array_equal(found, expected)

    check()


@settings(max_examples=60, deadline=None)
@given(chains(), st.data())
def test_every_row_is_computed_once_from_rows_that_are_there(graph: Graph, draw: st.DataObject) -> None:
    held: dict[int, dict[int, int]] = {}  # tensor -> offset in its buffer -> row
    made: dict[int, list[int]] = {}
    for step in in_bands(graph, Core.HOST, draw).steps:
        if step.band is None:
            continue
        x, y, band = step.inputs[0], step.outputs[0], step.band
        line = {t: int(np.prod(graph.tensors[t].shape[2:])) for t in (x, y)}
        if x in held:
            read = {band.in_offset + k * line[x]: row for k, row in enumerate(range(*band.in_rows))}
            assert read.items() <= held[x].items()
        written = {band.out_offset + k * line[y]: row for k, row in enumerate(range(*band.out_rows))}
        held[y] = held.get(y, {}) | written
        if step.kernel != KEEP_ROWS:
            made.setdefault(y, []).extend(range(*band.out_rows))
    for found in made.values():
        assert found == sorted(set(found))  # rows that no window reads are left out


def block(net: Net, x: int, channels: int, stride: int) -> int:
    """Expands 4 channels, as MobileNet's blocks, and projects back to 4."""
    side = net.tensors[x].shape[1]
    weights, depth, back = (
        net.weights(shape, axis)
        for shape, axis in (((channels, 1, 1, 4), 0), ((1, 3, 3, channels), 3), ((4, 1, 1, channels), 0))
    )
    a = net.tensor((1, side, side, channels), 0.05, -128)
    b = net.tensor((1, side // stride, side // stride, channels), 0.05, -128)
    y = net.tensor((1, side // stride, side // stride, 4), 0.05, 0)
    net.op("CONV_2D", [x, weights, net.bias(weights, x, channels)], a, ops.Conv2D())
    net.op("DEPTHWISE_CONV_2D", [a, depth, net.bias(depth, a, channels)], b, ops.DepthwiseConv2D(stride, stride))
    net.op("CONV_2D", [b, back, net.bias(back, b, 4)], y, ops.Conv2D())
    return y


def expanded(channels: int = 64, strides: tuple[int, ...] = (2,)) -> Graph:
    """Blocks on 32 x 32 pixels: 4 KiB before, 64 KiB inside of the first one."""
    net = Net(np.random.default_rng(0))
    x = net.input((1, 32, 32, 4), 0.05, 0)
    for stride in strides:
        x = block(net, x, channels, stride)
    return replace(net.graph(), outputs=(x,))


@pytest.mark.parametrize("core", [Core.HOST, Core.M4, Core.M55])
def test_a_chain_runs_in_bands_where_that_saves_memory(core: Core) -> None:
    graph = expanded()
    made, layered = plan(graph, core), plan(graph, core, streamed=False)
    assert made.arena_bytes < layered.arena_bytes / 2
    assert made.layered_arena_bytes == layered.arena_bytes == layered.layered_arena_bytes
    assert all(step.band is None for step in layered.steps)
    assert made.const_bytes < layered.const_bytes + 100 * len(made.steps)


def test_two_blocks_that_need_the_same_both_run_in_bands() -> None:
    made = plan(expanded(strides=(1, 2)), Core.HOST)
    assert made.arena_bytes < made.layered_arena_bytes / 2
    assert {op for step in made.steps if step.band for op in step.ops} >= {0, 1, 3, 4}


def test_weights_do_not_change_it() -> None:
    graph = expanded()
    bare = {i: replace(t, data=None, quant=None) for i, t in enumerate(graph.tensors) if t.dtype is not DType.INT32}
    assert plan(graph.with_tensors(bare), Core.M4) == plan(graph, Core.M4)


def test_a_tensor_that_is_read_twice_stays_whole() -> None:
    graph = expanded()
    inner = graph.ops[0].outputs[0]
    made = plan(replace(graph, outputs=(*graph.outputs, inner)), Core.HOST)
    assert made.buffers[inner].size_bytes == graph.tensors[inner].size_bytes
    assert made.steps[0].band is None


def test_per_op_outputs_need_ops_that_run_whole() -> None:
    graph = expanded()
    inputs = seeded_inputs(graph, 0)[0]
    with pytest.raises(ValueError, match="streamed=False"):
        HostModel(graph, plan(graph, Core.HOST)).run_per_op(inputs)
    assert len(HostModel(graph, plan(graph, Core.HOST, streamed=False)).run_per_op(inputs)) == 3


def test_small_gains_are_not_worth_the_calls() -> None:
    assert all(step.band is None for step in plan(expanded(channels=4), Core.HOST).steps)
