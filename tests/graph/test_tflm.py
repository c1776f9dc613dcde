from __future__ import annotations

import os
import signal
from dataclasses import replace

import numpy as np
import pytest

from tests.graph.nets import Chain, float_net, int8_net
from tinynas.errors import ModelError
from tinynas.graph.child import Child, Message
from tinynas.graph.ir import DType, Graph, Op, Quant, Tensor
from tinynas.graph.ops import NoAttrs
from tinynas.graph.tflite_writer import write_tflite
from tinynas.graph.tflm import TflmInterpreter, TflmWorker
from tinynas.quantize.seeded import seeded_inputs

NET = int8_net()
MODEL = write_tflite(NET)


def with_float_ends(graph: Graph) -> Graph:
    """The same network with a QUANTIZE in front and a DEQUANTIZE behind."""
    count = len(graph.tensors)
    ends = [
        Tensor(name, graph.tensors[i].shape, DType.FLOAT32)
        for name, i in (("real_in", graph.inputs[0]), ("real_out", graph.outputs[0]))
    ]
    before = Op("QUANTIZE", (count,), graph.inputs, NoAttrs())
    after = Op("DEQUANTIZE", graph.outputs, (count + 1,), NoAttrs())
    return replace(
        graph,
        tensors=(*graph.tensors, *ends),
        ops=(before, *graph.ops, after),
        inputs=(count,),
        outputs=(count + 1,),
    )


def test_one_by_one_equals_in_bulk(tflm: TflmWorker) -> None:
    sets = seeded_inputs(NET, 0, 20)
    with TflmInterpreter(MODEL, worker=tflm) as interpreter:
        singles = [interpreter.run(inputs)[0] for inputs in sets]
        bulk = interpreter.run_many([np.stack([inputs[0] for inputs in sets])])[0]
    np.testing.assert_array_equal(bulk, np.stack(singles))
    assert len(np.unique(bulk)) > 10  # the outputs are not all saturated, so the comparison means something


def test_float_ends_are_compared_at_their_int8_side(tflm: TflmWorker) -> None:
    inputs = seeded_inputs(NET, 0)[0]
    graph = with_float_ends(NET)
    with TflmInterpreter(MODEL, worker=tflm) as plain:
        wanted = plain.run(inputs)[0]
    with TflmInterpreter(write_tflite(graph), worker=tflm) as interpreter:
        np.testing.assert_array_equal(interpreter.run(seeded_inputs(graph, 0)[0])[0], wanted)


def test_every_int8_value_survives_a_float_end(tflm: TflmWorker) -> None:
    """An awkward scale: (q - zero point) * scale in float32 must map back to q."""
    quant = Quant.per_tensor(0.018457597, -13)
    tensors = (Tensor("q", (1, 256), DType.INT8, quant), Tensor("r", (1, 256), DType.INT8, quant))
    inner = Graph(tensors, (Op("RELU", (0,), (1,), NoAttrs()),), (0,), (1,))
    values = np.arange(-128, 128, dtype=np.int8)[np.newaxis]
    with TflmInterpreter(write_tflite(with_float_ends(inner)), worker=tflm) as interpreter:
        np.testing.assert_array_equal(interpreter.run([values])[0], np.maximum(values, -13))


def test_arena_grows_until_the_model_fits(tflm: TflmWorker) -> None:
    """Two maps of 800 x 800 x 2 do not fit into the first arena that is tried."""
    big = Chain.start((1, 800, 800, 2)).op("RELU", (1, 800, 800, 2)).graph()
    quant = Quant.per_tensor(0.1, 0)
    graph = replace(big, tensors=tuple(replace(t, dtype=DType.INT8, quant=quant) for t in big.tensors))
    with TflmInterpreter(write_tflite(graph), worker=tflm) as interpreter:
        assert interpreter.arena_bytes > interpreter.arena_use.head_bytes >= 2 * 800 * 800 * 2
        assert interpreter.arena_used_bytes == interpreter.arena_use.head_bytes + interpreter.arena_use.tail_bytes


def test_a_stated_arena_that_is_too_small_is_an_error(tflm: TflmWorker) -> None:
    with pytest.raises(ModelError, match="TFLite Micro"):
        TflmInterpreter(MODEL, arena_bytes=1000, worker=tflm)


def test_an_abort_is_an_error_and_the_worker_recovers() -> None:
    """The trap of untrained BatchNorm: activations shrink to nothing, and TFLite Micro aborts on an ADD's scales."""
    tiny, one = Quant.per_tensor(1e-12, 0), Quant.per_tensor(1.0, 0)
    add = int8_net()
    index = next(i for i, op in enumerate(add.ops) if op.kind == "ADD")
    op = add.ops[index]
    shapes = add.tensors[op.outputs[0]].shape
    tensors = tuple(Tensor(name, shapes, DType.INT8, q) for name, q in (("a", one), ("b", one), ("sum", tiny)))
    graph = Graph(tensors, (replace(op, inputs=(0, 1), outputs=(2,)),), (0, 1), (2,))
    with TflmWorker() as worker:
        with pytest.raises(ModelError, match="SIGABRT"):
            TflmInterpreter(write_tflite(graph), worker=worker)
        TflmInterpreter(MODEL, worker=worker).run(seeded_inputs(NET, 0)[0])


def test_a_killed_child_is_an_error() -> None:
    with TflmInterpreter(MODEL) as interpreter:
        os.kill(interpreter._child.process.pid, signal.SIGKILL)
        with pytest.raises(ModelError, match="SIGKILL"):
            interpreter.run(seeded_inputs(NET, 0)[0])
        with pytest.raises(ModelError, match="has ended"):
            interpreter.run(seeded_inputs(NET, 0)[0])


def test_a_time_limit_ends_the_child() -> None:
    with TflmInterpreter(MODEL) as interpreter:
        interpreter.timeout_s = 0.001
        with pytest.raises(ModelError, match=r"no answer within 0\.001 s"):
            interpreter.run_many([np.concatenate([seeded_inputs(NET, 0)[0][0][np.newaxis]] * 2000)])


def test_a_module_that_fails_to_start_says_why() -> None:
    child = Child("tinynas.graph.no_such_module")
    with pytest.raises(ModelError, match=r"exit status 1 \(.*No module named"):
        child.ask(Message({}), 20, "the test")


def test_a_float_model_is_refused() -> None:
    with pytest.raises(ModelError, match="float model"):
        TflmInterpreter(write_tflite(float_net()))


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([], "0 input arrays"),
        ([np.zeros((1, 13, 11, 3), np.uint8)], "found uint8"),
        ([np.zeros((1, 11, 13, 3), np.int8)], r"shape \[1, 11, 13, 3\]"),
    ],
)
def test_wrong_inputs_are_named(tflm: TflmWorker, inputs: list[np.ndarray], message: str) -> None:
    with TflmInterpreter(MODEL, worker=tflm) as interpreter, pytest.raises(ModelError, match=message):
        interpreter.run(inputs)
