"""Small models with random weights, as files, for tests of commands and of the report."""

from __future__ import annotations

import numpy as np

from tinynas.graph.ir import DType, Graph
from tinynas.graph.lower import bind, lower
from tinynas.graph.tflite_writer import write_tflite
from tinynas.quantize.calibrate import collect_ranges
from tinynas.quantize.ptq import quantize
from tinynas.space.mobilenet import inverted_residuals
from tinynas.space.netspec import NetSpec


def small_spec(resolution: int = 16, channels: int = 1, classes: int = 2) -> NetSpec:
    """A stem, three blocks (one residual), a head: every layer kind once, under 40 kMACs at 16 pixels."""
    stages = (
        inverted_residuals(8, 8, 1, depth=2, kernel=3, expand_ratio=2),
        inverted_residuals(8, 16, 2, depth=1, kernel=5, expand_ratio=3),
    )
    return NetSpec((resolution, resolution, channels), classes, 8, 2, stages, 32)


def float_graph(spec: NetSpec, seed: int = 0) -> Graph:
    """`spec` with weights drawn so that values keep their size from layer to layer."""
    rng = np.random.default_rng(seed)
    empty = lower(spec, DType.FLOAT32)
    constants = [tensor for tensor in empty.tensors if tensor.const and tensor.data is None]
    spread = {t.name: (2 / max(t.elements / t.shape[-1 if t.shape[0] == 1 else 0], 1)) ** 0.5 for t in constants}
    weights = {t.name: rng.normal(0, spread[t.name], t.shape).astype(np.float32) for t in constants}
    biases = {name: value * 0.1 for name, value in weights.items() if name.endswith(".bias")}
    return bind(empty, weights | biases)


def int8_model(spec: NetSpec | None = None, seed: int = 0) -> bytes:
    """An int8 .tflite file."""
    graph = float_graph(spec or small_spec(), seed)
    shape = graph.tensors[graph.inputs[0]].shape[1:]
    samples = np.random.default_rng(seed).random((8, *shape), dtype=np.float32)
    return write_tflite(quantize(graph, collect_ranges(graph, samples)))


def float_model() -> bytes:
    """A float .tflite file."""
    return write_tflite(float_graph(small_spec()))


def unknown_op_model() -> bytes:
    """The int8 file with its convolutions turned into an op that nothing here knows."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(int8_model()))
    model.operatorCodes[0].builtinCode = schema.BuiltinOperator.LSH_PROJECTION
    model.operatorCodes[0].deprecatedBuiltinCode = schema.BuiltinOperator.LSH_PROJECTION
    builder = flatbuffers.Builder()
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
