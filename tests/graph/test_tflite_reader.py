from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.graph.nets import int8_net
from tinynas.errors import ModelError
from tinynas.graph.compare import first_difference
from tinynas.graph.tflite_reader import read_tflite
from tinynas.graph.tflite_writer import write_tflite

MODEL = write_tflite(int8_net())


def edited(change: Callable[[Any], None]) -> bytes:
    """MODEL after `change` of its schema object."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(MODEL, 0))
    change(model)
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


@given(st.integers(0, len(MODEL) - 1))
@settings(deadline=None)
def test_a_truncated_file_is_one_clear_error(length: int) -> None:
    """Whatever the cut: never another exception, never a different network."""
    try:
        graph = read_tflite(MODEL[:length])
    except ModelError as error:
        assert "\n" not in str(error)
    else:
        assert first_difference(graph, read_tflite(MODEL)) is None  # only padding was cut off


@given(st.lists(st.tuples(st.integers(0, len(MODEL) - 1), st.integers(0, 255)), min_size=1, max_size=8))
@settings(max_examples=200, deadline=None)
def test_flipped_bytes_never_raise_anything_else(flips: list[tuple[int, int]]) -> None:
    broken = bytearray(MODEL)
    for place, value in flips:
        broken[place] = value
    with contextlib.suppress(ModelError):
        read_tflite(bytes(broken))


@given(st.binary(max_size=200))
@settings(deadline=None)
def test_garbage_with_the_right_identifier(tail: bytes) -> None:
    with pytest.raises(ModelError):
        read_tflite(b"\x10\0\0\0TFL3" + tail)


@pytest.mark.parametrize("content", [b"", b"TFL3", b"\x89PNG\r\n\x1a\n" + bytes(50)])
def test_not_a_tflite_file(content: bytes) -> None:
    with pytest.raises(ModelError, match=r"not a \.tflite file"):
        read_tflite(content)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"nothing\.tflite: cannot read"):
        read_tflite(tmp_path / "nothing.tflite")


def test_unknown_op_is_named_with_its_index_and_the_supported_ones() -> None:
    def change(model: Any) -> None:
        model.operatorCodes[1].builtinCode = schema.BuiltinOperator.SVDF
        model.operatorCodes[1].deprecatedBuiltinCode = schema.BuiltinOperator.SVDF

    with pytest.raises(ModelError, match=r"op 1 is SVDF, not supported; supported: CONV_2D, DEPTHWISE_CONV_2D"):
        read_tflite(edited(change))


def test_several_subgraphs_are_refused() -> None:
    with pytest.raises(ModelError, match="2 subgraphs"):
        read_tflite(edited(lambda model: model.subgraphs.append(model.subgraphs[0])))


@pytest.mark.parametrize("name", ["INT64", "UINT8", "BOOL", "FLOAT16"])
def test_unsupported_types_are_named(name: str) -> None:
    def change(model: Any) -> None:
        model.subgraphs[0].tensors[0].type = getattr(schema.TensorType, name)

    with pytest.raises(ModelError, match=rf"tensor 0 \('input'\) has type {name}; supported: FLOAT32, INT32"):
        read_tflite(edited(change))


def test_odd_quantized_dimension_of_vectors_is_tolerated() -> None:
    """TFLite Micro's person_detect gives its bias vectors dimension 3."""

    def change(model: Any) -> None:
        model.subgraphs[0].tensors[2].quantization.quantizedDimension = 3

    assert first_difference(read_tflite(edited(change)), read_tflite(MODEL)) is None


def test_a_scale_of_zero_is_refused() -> None:
    def change(model: Any) -> None:
        model.subgraphs[0].tensors[0].quantization.scale = np.zeros(1, np.float32)

    with pytest.raises(ModelError, match=r"tensor 0 .* scale"):
        read_tflite(edited(change))


def test_a_wrong_output_shape_is_refused() -> None:
    def change(model: Any) -> None:
        model.subgraphs[0].tensors[3].shape = [1, 8, 6, 8]

    with pytest.raises(ModelError, match=r"op 0 \(CONV_2D\) gives shape \[1, 7, 6, 8\]"):
        read_tflite(edited(change))


def test_an_op_that_reads_the_future_is_refused() -> None:
    def change(model: Any) -> None:
        model.subgraphs[0].operators.reverse()

    with pytest.raises(ModelError, match=r"op 0 \(SOFTMAX\) reads tensor"):
        read_tflite(edited(change))


def test_old_files_have_the_op_code_in_the_deprecated_field() -> None:
    def change(model: Any) -> None:
        for code in model.operatorCodes:
            code.builtinCode = 0

    assert first_difference(read_tflite(edited(change)), read_tflite(MODEL)) is None
