"""How each op's attributes lie in TFLite's options tables, and which op version TFLite gives it.

One `Codec` per op kind; the reader and the writer know ops only through `CODECS`. Versions follow
tensorflow/lite/tools/versioning/op_version.cc: a runtime that is too old for a file then says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from ai_edge_litert import schema_py_generated as schema

from tinynas.graph import ops
from tinynas.graph.ir import DType, Graph, Op

_ACTIVATIONS = {name: getattr(schema.ActivationFunctionType, name) for name in ops.Activation}
_PADDINGS = {name: getattr(schema.Padding, name) for name in ops.Padding}


@dataclass(frozen=True)
class Codec:
    """The options table of an op kind, its fields by attribute name, and its version by data type."""

    attrs: type[Any]
    options: str | None = None  # name of the schema's table, None: the op is written without one
    names: Mapping[str, str] = field(default_factory=dict)  # attribute -> table field
    versions: Mapping[DType, int] = field(default_factory=dict)  # of the op's first data input; 1 if not listed
    data_input: int = 0
    constants: Mapping[str, int] = field(default_factory=dict)  # table fields with one value only
    at_least: Callable[[Graph, Op], int] = lambda _graph, _op: 1  # what options ask for beyond the type

    @property
    def options_type(self) -> int:
        return int(getattr(schema.BuiltinOptions, self.options)) if self.options else 0

    def read(self, options: Any) -> ops.Attrs:
        """Attributes from a schema object (`schema.Conv2DOptionsT`, ...), None standing for all defaults."""
        table = options if options is not None else self._empty()
        values = {name: _from_schema(name, getattr(table, self.names[name])) for name in self.names}
        return self.attrs(**values)  # type: ignore[no-any-return]

    def write(self, attrs: ops.Attrs) -> Any:
        """Schema object of `attrs`, None for an op without options."""
        if self.options is None:
            return None
        table = self._empty()
        for schema_name, value in self.constants.items():
            setattr(table, schema_name, value)
        for name, schema_name in self.names.items():
            setattr(table, schema_name, _to_schema(name, getattr(attrs, name)))
        return table

    def version(self, graph: Graph, op: Op) -> int:
        by_type = self.versions.get(graph.tensors[op.inputs[self.data_input]].dtype, 1)
        return max(by_type, self.at_least(graph, op))

    def _empty(self) -> Any:
        return getattr(schema, f"{self.options}T")() if self.options else None


def _from_schema(name: str, value: Any) -> Any:
    """A table field as the attribute `name` holds it; unknown enum values raise ValueError."""
    if name == "activation":
        return ops.Activation(_name_of(_ACTIVATIONS, value, "fused activation"))
    if name == "padding":
        return ops.Padding(_name_of(_PADDINGS, value, "padding"))
    if name in ("new_shape", "squeeze_dims"):
        return () if value is None else tuple(int(v) for v in value)
    return value


def _name_of(names: Mapping[Any, int], value: int, what: str) -> str:
    for name, number in names.items():
        if number == value:
            return str(name)
    raise ValueError(f"{what} number {value} is not supported; supported: {', '.join(map(str, names))}")


def _to_schema(name: str, value: Any) -> Any:
    if name == "activation":
        return _ACTIVATIONS[value]
    if name == "padding":
        return _PADDINGS[value]
    return list(value) if isinstance(value, tuple) else value


def _same(record: type[Any], **renamed: str) -> dict[str, str]:
    """Attribute -> table field: camelCase of the attribute's name, unless renamed."""
    names = {}
    for attribute in fields(record):
        head, *tail = attribute.name.split("_")
        names[attribute.name] = renamed.get(attribute.name, head + "".join(word.title() for word in tail))
    return names


_ACT = {"activation": "fusedActivationFunction"}
_CONV = _ACT | {"dilation_h": "dilationHFactor", "dilation_w": "dilationWFactor"}
_POOL = _ACT | {"filter_h": "filterHeight", "filter_w": "filterWidth"}


def _by_dtype(int8: int, int16: int = 1, float32: int = 1) -> dict[DType, int]:
    return {DType.INT8: int8, DType.INT16: int16, DType.FLOAT32: float32}


def _plain(options: str | None, int8: int, int16: int = 1) -> Codec:
    return Codec(ops.NoAttrs, options, {}, _by_dtype(int8, int16))


def _binary(options: str, int8: int, int16: int) -> Codec:
    return Codec(ops.Binary, options, _same(ops.Binary, **_ACT), _by_dtype(int8, int16))


def _fully_connected_version(_graph: Graph, op: Op) -> int:
    assert isinstance(op.attrs, ops.FullyConnected)
    without_bias = len(op.inputs) < 3 or op.inputs[2] < 0
    return 6 if without_bias else 5 if op.attrs.keep_num_dims else 1


def _dilated_version(_graph: Graph, op: Op) -> int:
    assert isinstance(op.attrs, ops.DepthwiseConv2D)
    return 2 if op.attrs.dilation_h > 1 or op.attrs.dilation_w > 1 else 1


def _transpose_conv_version(_graph: Graph, op: Op) -> int:
    """It may have a bias from 3, an activation from 4 on."""
    assert isinstance(op.attrs, ops.TransposeConv)
    if op.attrs.activation is not ops.Activation.NONE:
        return 4
    return 3 if len(op.inputs) > 3 and op.inputs[3] >= 0 else 1


def _resize_version(_graph: Graph, op: Op) -> int:
    assert isinstance(op.attrs, ops.Resize)
    return 3 if op.attrs.half_pixel_centers else 1


CODECS: dict[str, Codec] = {
    "CONV_2D": Codec(ops.Conv2D, "Conv2DOptions", _same(ops.Conv2D, **_CONV), _by_dtype(3, 4)),
    "DEPTHWISE_CONV_2D": Codec(
        ops.DepthwiseConv2D,
        "DepthwiseConv2DOptions",
        _same(ops.DepthwiseConv2D, **_CONV),
        _by_dtype(3, 5),
        at_least=_dilated_version,
    ),
    "FULLY_CONNECTED": Codec(
        ops.FullyConnected,
        "FullyConnectedOptions",
        _same(ops.FullyConnected, **_ACT),
        _by_dtype(4, 7),
        at_least=_fully_connected_version,
    ),
    "TRANSPOSE_CONV": Codec(
        ops.TransposeConv,
        "TransposeConvOptions",
        _same(ops.TransposeConv, **_ACT),
        _by_dtype(2, 2),
        data_input=2,
        at_least=_transpose_conv_version,
    ),
    "PRELU": _plain(None, 1),
    "ADD": _binary("AddOptions", 2, 3),
    "SUB": _binary("SubOptions", 2, 5),
    "MUL": _binary("MulOptions", 2, 4),
    "AVERAGE_POOL_2D": Codec(ops.Pool2D, "Pool2DOptions", _same(ops.Pool2D, **_POOL), _by_dtype(2, 3)),
    "MAX_POOL_2D": Codec(ops.Pool2D, "Pool2DOptions", _same(ops.Pool2D, **_POOL), _by_dtype(2, 3)),
    "MEAN": Codec(ops.Reduce, "ReducerOptions", _same(ops.Reduce), _by_dtype(2, 3)),
    "PAD": _plain("PadOptions", 2, 4),
    "PADV2": _plain("PadV2Options", 2, 2),
    "RESHAPE": Codec(ops.Reshape, "ReshapeOptions", _same(ops.Reshape)),
    "SQUEEZE": Codec(ops.Squeeze, "SqueezeOptions", _same(ops.Squeeze)),
    "SOFTMAX": Codec(ops.Softmax, "SoftmaxOptions", _same(ops.Softmax), _by_dtype(2, 3)),
    "RELU": _plain(None, 2, 3),
    "RELU6": _plain(None, 2, 3),
    "LOGISTIC": _plain(None, 2, 3),
    "TANH": _plain(None, 2, 3),
    "HARD_SWISH": _plain("HardSwishOptions", 1),
    "LEAKY_RELU": Codec(ops.LeakyRelu, "LeakyReluOptions", _same(ops.LeakyRelu), _by_dtype(2, 2)),
    "QUANTIZE": _plain("QuantizeOptions", 1),
    "DEQUANTIZE": _plain("DequantizeOptions", 2, 3),
    "TRANSPOSE": _plain("TransposeOptions", 2, 4),
    "CONCATENATION": Codec(
        ops.Concatenation, "ConcatenationOptions", _same(ops.Concatenation, **_ACT), _by_dtype(2, 3)
    ),
    "SHAPE": Codec(ops.NoAttrs, "ShapeOptions", constants={"outType": schema.TensorType.INT32}),
    "STRIDED_SLICE": Codec(ops.StridedSlice, "StridedSliceOptions", _same(ops.StridedSlice), _by_dtype(2, 4)),
    "PACK": Codec(ops.Pack, "PackOptions", _same(ops.Pack), _by_dtype(2, 3)),
    "SPLIT": Codec(ops.Split, "SplitOptions", _same(ops.Split), _by_dtype(2, 4), data_input=1),
    "GATHER": Codec(ops.Gather, "GatherOptions", _same(ops.Gather), _by_dtype(2, 4)),
    "MAXIMUM": _plain("MaximumMinimumOptions", 2),
    "MINIMUM": _plain("MaximumMinimumOptions", 2),
    "RESIZE_NEAREST_NEIGHBOR": Codec(
        ops.Resize, "ResizeNearestNeighborOptions", _same(ops.Resize), _by_dtype(2, 4), at_least=_resize_version
    ),
    "RESIZE_BILINEAR": Codec(
        ops.Resize, "ResizeBilinearOptions", _same(ops.Resize), _by_dtype(2, 4), at_least=_resize_version
    ),
}


def builtin_code(kind: str) -> int:
    """TFLite's number of a builtin operator."""
    return int(getattr(schema.BuiltinOperator, kind))


def builtin_name(code: int) -> str:
    """TFLite's name of a builtin operator code, "builtin operator 999" for one the schema does not know."""
    return _BUILTIN_NAMES.get(code, f"builtin operator {code}")


_BUILTIN_NAMES: dict[int, str] = {
    value: name for name, value in vars(schema.BuiltinOperator).items() if isinstance(value, int)
}
