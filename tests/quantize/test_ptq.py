from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from tests.graph.floats import run_float
from tests.graph.nets import SMALL_SPEC, Chain, float_graphs, float_net, int8_net, samples_for
from tinynas.errors import ModelError
from tinynas.graph import ops
from tinynas.graph.ir import DType, Graph, Quant, Tensor
from tinynas.graph.lower import lower
from tinynas.graph.ops import Activation
from tinynas.graph.tflite_writer import write_tflite
from tinynas.graph.tflm import TflmInterpreter
from tinynas.quantize.calibrate import collect_ranges
from tinynas.quantize.ptq import quantize


def quant_of(graph: Graph, index: int) -> tuple[float, int]:
    quant = graph.tensors[index].quant
    assert quant is not None and quant.axis is None
    return float(quant.scale[0]), int(quant.zero_point[0])


def quantised(graph: Graph) -> Graph:
    return quantize(graph, collect_ranges(graph, samples_for(graph, 8)))


def test_structure_is_that_of_the_lowered_network() -> None:
    """So that the Plan of a weightless candidate is the Plan of the trained net."""

    def structure(graph: Graph) -> list[tuple[str, tuple[int, ...], DType, bool]]:
        return [(t.name, t.shape, t.dtype, t.const) for t in graph.tensors]

    weightless, net = lower(SMALL_SPEC), int8_net()
    assert weightless.ops == net.ops
    assert structure(weightless) == structure(net)


def test_fixed_scales() -> None:
    graph = int8_net()
    assert quant_of(graph, graph.inputs[0]) == (float(np.float32(1 / 255)), -128)
    assert quant_of(graph, graph.outputs[0]) == (1 / 256, -128)


@given(float_graphs())
@settings(max_examples=25, deadline=None)
def test_tflite_rules_hold(graph: Graph) -> None:
    """Moving ops keep the scale; biases have scale input * weight; weights are symmetric in [-127, 127]."""
    net = quantised(graph)
    for op in net.ops:
        if op.kind in ("AVERAGE_POOL_2D", "MAX_POOL_2D", "RESHAPE", "PAD"):
            assert quant_of(net, op.inputs[0]) == quant_of(net, op.outputs[0])
        if op.kind not in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
            continue
        weight, bias = (net.tensors[i] for i in op.inputs[1:])
        assert weight.quant is not None and bias.quant is not None and weight.data is not None
        assert (weight.quant.zero_point == 0).all() and np.abs(weight.data.astype(int)).max() <= 127
        wanted = np.float32(quant_of(net, op.inputs[0])[0]) * weight.quant.scale
        np.testing.assert_allclose(bias.quant.scale, wanted, rtol=1e-6)
        assert (bias.dtype, weight.dtype) == (DType.INT32, DType.INT8)


def real_outputs(net: Graph, samples: np.ndarray) -> np.ndarray:
    pixels = np.rint(samples * 255).astype(int)
    with TflmInterpreter(write_tflite(net)) as interpreter:
        (found,) = interpreter.run_many([(pixels - 128).astype(np.int8)[:, np.newaxis]])
    scale, zero = quant_of(net, net.outputs[0])
    return (found[:, 0].astype(float) - zero) * scale


@pytest.mark.parametrize("seed", range(3))
def test_int8_outputs_follow_the_float_ones(seed: int) -> None:
    """Logits of He-initialised networks: signal to quantisation noise of at least 20 dB."""
    graph = float_net(seed=seed)
    logits = graph.ops[-1].inputs[0]
    cut = replace(graph, outputs=(logits,), ops=graph.ops[:-1])
    samples = samples_for(graph, 50, seed=1)
    wanted = run_float(cut, samples, [logits])[0]
    noise = real_outputs(quantised(cut), samples) - wanted
    assert 10 * np.log10((wanted**2).mean() / (noise**2).mean()) > 20


def test_one_channel_only() -> None:
    """A single output channel has one scale; TFLite then takes the tensor for per-tensor quantised."""
    graph = Chain.start((1, 5, 4, 1)).conv(1).depthwise().graph()
    assert real_outputs(quantised(graph), samples_for(graph, 2)).shape == (2, 5, 4, 1)


def test_shared_biases_get_their_own_scales() -> None:
    """TensorFlow's converter lets equal biases be one tensor; their int8 scales differ."""
    chain = Chain.start((1, 6, 6, 3)).conv(3, activation=Activation.NONE).conv(3)
    graph = chain.graph()
    first, second = graph.ops
    shared = replace(graph, ops=(first, replace(second, inputs=(*second.inputs[:2], first.inputs[2]))))
    net = quantised(shared)
    biases = [net.ops[k].inputs[2] for k in (0, 1)]
    assert biases[0] != biases[1]
    scales = [q.scale for q in (net.tensors[i].quant for i in biases) if q is not None]
    assert not np.array_equal(scales[0], scales[1])


def test_vanishing_activations_still_run() -> None:
    """The trap of untrained BatchNorm: values of 1e-15 would give scales at which TFLite Micro aborts."""
    chain = Chain.start((1, 6, 6, 4)).residual("ADD").conv(4).residual("ADD").mean().dense(3)
    graph = chain.op("SOFTMAX", (1, 3), ops.Softmax()).graph()
    tiny = {
        i: replace(t, data=t.data.astype(np.float32) * np.float32(1e-12))
        for i, t in enumerate(graph.tensors)
        if t.data is not None and t.dtype is DType.FLOAT32
    }
    net = quantised(graph.with_tensors(tiny))
    assert np.isfinite(real_outputs(net, samples_for(graph, 2))).all()


def test_an_op_without_a_scheme_is_named() -> None:
    chain = Chain.start((1, 4, 4, 2)).op("DEQUANTIZE", (1, 4, 4, 2))
    with pytest.raises(ModelError, match=r"op 0 \(DEQUANTIZE\) cannot be quantised to int8; supported: ADD"):
        quantize(chain.graph(), {0: (0.0, 1.0), 1: (0.0, 1.0)})


def test_a_missing_range_is_named() -> None:
    with pytest.raises(ModelError, match="'stem' has no calibrated range"):
        quantize(float_net(), {})


def test_two_fixed_scales_that_meet_are_refused() -> None:
    """Softmax joined with the input: one of the two would need a rescaling op."""
    chain = Chain.start((1, 4, 4, 2)).op("SOFTMAX", (1, 4, 4, 2), ops.Softmax())
    chain.op("CONCATENATION", (1, 4, 4, 4), ops.Concatenation(-1), (0, chain.at))
    with pytest.raises(ModelError, match="must share one scale"):
        quantised(chain.graph())


def test_calibrated_inputs() -> None:
    graph = float_net()
    ranges = collect_ranges(graph, samples_for(graph, 4))
    net = quantize(graph, {**ranges, 0: (-1.0, 3.0)}, input_quant=None)
    assert quant_of(net, 0) == (float(np.float32(4 / 255)), -64)


def test_ranges_hold_every_value() -> None:
    graph = float_net()
    samples = samples_for(graph, 40)
    ranges = collect_ranges(graph, samples)
    assert sorted(ranges) == [i for i, t in enumerate(graph.tensors) if not t.const]
    for index, values in zip(ranges, run_float(graph, samples, list(ranges)), strict=True):
        assert ranges[index] == pytest.approx((values.min(), values.max()), rel=1e-5, abs=1e-6)


def test_relu6_that_is_not_reached_does_not_cost_range() -> None:
    graph = Chain.start((1, 4, 4, 2)).depthwise(3, activation=Activation.RELU6).graph()
    scale, zero = quant_of(quantised(graph), graph.outputs[0])
    assert zero == -128 and scale < 6 / 255


def test_a_constant_operand_is_quantised_per_tensor() -> None:
    chain = Chain.start((1, 4, 4, 2))
    constant = chain.floats((1, 4, 4, 2))
    net = quantised(chain.op("ADD", (1, 4, 4, 2), ops.Binary(), (0, constant)).graph())
    tensor: Tensor = net.tensors[constant]
    assert tensor.dtype is DType.INT8 and isinstance(tensor.quant, Quant) and tensor.data is not None
    real = (tensor.data.astype(float) - tensor.quant.zero_point[0]) * tensor.quant.scale[0]
    original = chain.tensors[constant].data
    assert original is not None
    np.testing.assert_allclose(real, original.astype(float), atol=0.51 * float(tensor.quant.scale[0]))
