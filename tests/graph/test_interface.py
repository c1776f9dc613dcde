from __future__ import annotations

from dataclasses import replace

import pytest

from tests.graph.nets import float_net, int8_net
from tests.graph.test_tflm import with_float_ends
from tinynas.errors import ModelError
from tinynas.graph.compare import first_difference
from tinynas.graph.interface import deployable, require_int8, strip_float_ends
from tinynas.graph.ir import DType


def test_float_ends_are_stripped() -> None:
    assert first_difference(strip_float_ends(with_float_ends(int8_net())), int8_net()) is None


def test_an_int8_network_stays_as_it_is() -> None:
    graph = int8_net()
    assert strip_float_ends(graph) is graph
    assert first_difference(deployable(graph), graph) is None


def test_a_float_network_is_refused_with_the_way_out() -> None:
    with pytest.raises(ModelError, match=r"float model: its input 'input' is not quantised.*tinynas convert"):
        strip_float_ends(float_net())


def test_a_float_op_inside_is_named() -> None:
    graph = int8_net()
    middle = graph.ops[2].outputs[0]
    mixed = graph.with_tensors({middle: replace(graph.tensors[middle], dtype=DType.FLOAT32)})
    with pytest.raises(ModelError, match=r"net\.tflite: op 2 \(CONV_2D\) works on float32"):
        require_int8(mixed, "net.tflite")


def test_an_end_of_another_type_is_named() -> None:
    graph = int8_net()
    wide = graph.with_tensors({graph.outputs[0]: replace(graph.tensors[graph.outputs[0]], dtype=DType.INT16)})
    with pytest.raises(ModelError, match="'softmax' is int16, wanted quantised int8"):
        require_int8(wide)
