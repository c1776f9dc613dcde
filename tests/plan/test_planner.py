"""Plans: sharing memory changes no byte of the result, and nothing but shapes decides them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engine.cases import Net
from tests.plan.nets import dags
from tinynas.engine.host import HostModel
from tinynas.errors import ModelError
from tinynas.graph import ops
from tinynas.graph.ir import DType, Graph, Op, Tensor
from tinynas.graph.lower import lower
from tinynas.graph.stats import macs
from tinynas.lab.board import Core
from tinynas.plan.kernels import VIEWS
from tinynas.plan.plan import Buffer, Plan
from tinynas.plan.planner import plan
from tinynas.quantize.seeded import seeded_inputs
from tinynas.space.netspec import BlockSpec, NetSpec

relaxed = settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


def unshared(tight: Plan) -> Plan:
    """The same steps with a place of its own for every tensor that is no view."""
    size, buffers = 0, {}
    for k, buffer in tight.buffers.items():
        buffers[k] = replace(buffer, offset=size)
        size += buffer.size_bytes
    for op in tight.graph.ops:
        if op.kind in VIEWS:
            buffers[op.outputs[0]] = buffers[op.inputs[0]]
    return replace(tight, buffers=buffers, arena_bytes=size)


@relaxed
@given(dags())
def test_shared_memory_gives_the_same_bytes(graph: Graph) -> None:
    tight = plan(graph, Core.HOST)
    inputs = seeded_inputs(graph, 0)[0]
    wanted = HostModel(graph, unshared(tight)).run(inputs)
    found = HostModel(graph, tight).run(inputs)
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(a, b)


@settings(max_examples=60, deadline=None)
@given(dags(), st.sampled_from([Core.HOST, Core.M4, Core.M55]))
def test_weights_do_not_change_a_plan(graph: Graph, core: Core) -> None:
    assert plan(without_data(graph), core) == plan(graph, core)


def without_data(graph: Graph) -> Graph:
    """As a lowered network before training: constants of size only, no quantisation."""
    tensors = [
        replace(t, data=None, quant=None) if t.dtype is not DType.INT32 or "b" in t.name else t for t in graph.tensors
    ]
    return replace(graph, tensors=tuple(tensors))


@settings(max_examples=60, deadline=None)
@given(dags())
def test_sizes_of_a_plan(graph: Graph) -> None:
    made = plan(graph, Core.HOST)
    assert made.macs == macs(graph)
    assert made.lower_bound_bytes <= made.arena_bytes
    assert made.arena_bytes == max(b.offset + b.size_bytes for b in made.buffers.values())
    assert [op for step in made.steps for op in step.ops] == [
        k for k, op in enumerate(graph.ops) if op.kind not in VIEWS
    ]
    for index in (*graph.inputs, *(i for op in graph.ops for i in op.outputs)):
        assert made.buffers[index].size_bytes >= graph.tensors[index].size_bytes


def test_an_expand_convolution_grows_over_its_input() -> None:
    """MobileNet's first expansion: 16 KiB to 32 KiB takes 32 KiB and a pixel, not 48."""
    net = Net(np.random.default_rng(0))
    x = net.input((1, 32, 32, 16), 0.05, 0)
    weights = net.weights((32, 1, 1, 16), 0)
    y = net.output((1, 32, 32, 32), 0.05, 0)
    net.op("CONV_2D", [x, weights, net.bias(weights, x, 32)], y, ops.Conv2D())
    assert plan(net.graph(), Core.HOST).arena_bytes == 32 * 32 * 32 + 16


def test_a_view_takes_no_step_and_no_memory() -> None:
    net = Net(np.random.default_rng(0))
    x = net.input((1, 4, 4, 2), 0.05, 0)
    y = net.output((1, 32), 0.05, 0)
    net.op("RESHAPE", [x], y, ops.Reshape((1, 32)))
    made = plan(net.graph(), Core.M4)
    assert made.steps == () and made.arena_bytes == 32
    assert made.buffers == {x: Buffer(0, 32, 0, 0), y: Buffer(0, 32, 0, 0)}


def test_a_lowered_network_is_planned_without_weights() -> None:
    blocks = (BlockSpec(8, 24, 8, 3, 1), BlockSpec(8, 48, 16, 5, 2))
    made = plan(lower(NetSpec((32, 32, 1), 2, 8, 2, (blocks,), 32)), Core.HOST)
    assert made.arena_bytes < 16 * 16 * 48 + 1024  # the second expansion, over its input
    assert {"add_s8", "conv1x1_s8", "softmax_s8"} <= set(made.kernels)


def test_an_unknown_op_is_named_before_anything_is_built() -> None:
    net = Net(np.random.default_rng(0))
    x = net.input((1, 4), 0.05, 0)
    y = net.output((1, 4), 0.05, 0)
    net.op("RELU", [x], y)
    z = net.output((1, 4), 0.05, 0)
    net.ops.append(Op("ATAN2", (x,), (z,), ops.NoAttrs()))
    with pytest.raises(ModelError, match=r"op 1 is ATAN2, which is not supported; supported: ADD, .*TRANSPOSE"):
        plan(net.graph(), Core.M4)


def test_a_batch_is_refused_with_the_shape() -> None:
    net = Net(np.random.default_rng(0))
    x = net.input((2, 4, 4, 1), 0.05, 0)
    y = net.output((2, 1, 1, 1), 0.05, 0)
    net.op("AVERAGE_POOL_2D", [x], y, ops.Pool2D(4, 4))
    with pytest.raises(ModelError, match=r"op 0 \(AVERAGE_POOL_2D\).*\[2, 4, 4, 1\]; wanted \[1, height"):
        plan(net.graph(), Core.M4)


def test_a_float_model_is_sent_to_convert() -> None:
    x, y = (Tensor(name, (1, 4), DType.FLOAT32) for name in "xy")
    graph = Graph((x, y), (Op("RELU", (0,), (1,), ops.NoAttrs()),), (0,), (1,))
    with pytest.raises(ModelError, match="tinynas convert"):
        plan(graph, Core.M4)


def test_sizes_beyond_the_parameters_fields_are_refused() -> None:
    """The C structs count axes in 16 bits and strides in 8; nothing is cut off silently."""
    wide, far = Net(np.random.default_rng(0)), Net(np.random.default_rng(0))
    x = wide.input((1, 70_000), 0.05, 0)
    wide.op("SOFTMAX", [x], wide.output((1, 70_000), 1 / 256, -128), ops.Softmax())
    with pytest.raises(ModelError, match=r"op 0 \(SOFTMAX\).*\[1, 70000\]; wanted axes of at most 65535"):
        plan(wide.graph(), Core.M4)
    x = far.input((1, 300, 1, 1), 0.05, 0)
    far.op("MAX_POOL_2D", [x], far.output((1, 1, 1, 1), 0.05, 0), ops.Pool2D(1, 1, 300, 1))
    with pytest.raises(ModelError, match=r"stride \[300, 1\]; wanted at most 255"):
        plan(far.graph(), Core.M4)
