from __future__ import annotations

from dataclasses import replace

import numpy as np

from tests.graph.floats import run_float
from tests.graph.nets import Chain, samples_for
from tinynas.graph import ops
from tinynas.graph.compare import first_difference
from tinynas.graph.fold import fold_constants
from tinynas.graph.ir import DType, Graph, Tensor


def keras_flatten() -> Graph:
    """What TensorFlow's converter makes of Flatten with an open batch: SHAPE, STRIDED_SLICE, PACK, RESHAPE."""
    chain = Chain.start((1, 4, 3, 2)).conv(2)
    source = chain.at

    def integer(shape: tuple[int, ...]) -> int:
        chain.tensors.append(Tensor(f"i{len(chain.tensors)}", shape, DType.INT32))
        return len(chain.tensors) - 1

    def add(kind: str, inputs: tuple[int, ...], shape: tuple[int, ...], attrs: ops.Attrs) -> int:
        output = integer(shape)
        chain.ops.append(replace(chain.ops[0], kind=kind, inputs=inputs, outputs=(output,), attrs=attrs))
        return output

    shape = add("SHAPE", (source,), (4,), ops.NoAttrs())
    bounds = tuple(chain.ints([value]) for value in (0, 1, 1))
    batch = add("STRIDED_SLICE", (shape, *bounds), (), ops.StridedSlice(shrink_axis_mask=1))
    flat = chain.ints([24])
    chain.tensors[flat] = replace(chain.tensors[flat], shape=(), data=np.array(24, np.int32))
    wanted = add("PACK", (batch, flat), (2,), ops.Pack(2))
    return chain.op("RESHAPE", (1, 24), ops.Reshape(()), (source, wanted)).graph()


def test_shapes_that_keras_computes_become_constants() -> None:
    folded = fold_constants(keras_flatten())
    assert [op.kind for op in folded.ops] == ["CONV_2D", "RESHAPE"]
    reshape = folded.ops[1]
    assert reshape.attrs == ops.Reshape((1, 24))
    np.testing.assert_array_equal(folded.tensors[reshape.inputs[1]].data, [1, 24])
    assert all(i in range(len(folded.tensors)) for op in folded.ops for i in (*op.inputs, *op.outputs))


def test_folding_changes_no_value() -> None:
    graph, folded = keras_flatten(), fold_constants(keras_flatten())
    samples = samples_for(graph, 1)
    before, after = (run_float(g, samples, g.outputs)[0] for g in (graph, folded))
    np.testing.assert_array_equal(before, after)


def test_folding_twice_is_folding_once() -> None:
    folded = fold_constants(keras_flatten())
    assert first_difference(fold_constants(folded), folded) is None


def test_what_depends_on_the_input_stays() -> None:
    graph = Chain.start((1, 4, 3, 2)).conv(2).flatten().graph()
    assert first_difference(fold_constants(graph), graph) is None
