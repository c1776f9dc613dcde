"""A network for the upstream TFLite Micro interpreter: its file, a resolver of just its ops, and the runner's model."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from tinynas.engine.generate import Generated
from tinynas.graph.interface import deployable
from tinynas.graph.ir import Graph, Tensor
from tinynas.graph.tflite_reader import read_tflite
from tinynas.graph.tflite_writer import write_tflite

_NAMES = {"PADV2": "PadV2"}  # where upstream's name of an op is not the schema's in camel case
_BYTES_PER_LINE = 16

_SOURCE = """\
// Runs one network on the TFLite Micro interpreter. Generated.
#include <cstddef>
#include <cstdint>
#include <new>

#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/schema/schema_generated.h"

extern "C" {{
#include "tn_model.h"
}}

namespace {{

constexpr size_t kArenaBytes = {arena_bytes};
alignas(16) const unsigned char network[] = {{
{network}
}};

tn_io inputs[] = {{
{inputs}
}};
tn_io outputs[] = {{
{outputs}
}};

using Resolver = tflite::MicroMutableOpResolver<{op_count}>;
alignas(Resolver) unsigned char resolver_memory[sizeof(Resolver)];
alignas(tflite::MicroInterpreter) unsigned char interpreter_memory[sizeof(tflite::MicroInterpreter)];
tflite::MicroInterpreter *interpreter = nullptr;

bool add_ops(Resolver *resolver) {{
  return {added};
}}

tn_status invoke(uint8_t *, tn_mark, void *) {{
  if (interpreter == nullptr) return TN_ERR_ARENA;
  return interpreter->Invoke() == kTfLiteOk ? TN_OK : TN_ERR_SHAPE;
}}

}}  // namespace

// In the arena, which belongs to the interpreter. 0 if it is too small, or the library does not know an op.
extern "C" uint32_t tn_model_setup(uint8_t *arena) {{
  Resolver *resolver = new (resolver_memory) Resolver();
  if (!add_ops(resolver)) return 0;
  const tflite::Model *model = tflite::GetModel(network);
  interpreter = new (interpreter_memory) tflite::MicroInterpreter(model, *resolver, arena, kArenaBytes);
  if (interpreter->AllocateTensors() != kTfLiteOk) {{
    interpreter = nullptr;
    return 0;
  }}
  for (size_t i = 0; i < {input_count}; i++) {{
    inputs[i].offset = static_cast<uint32_t>(reinterpret_cast<uint8_t *>(interpreter->input(i)->data.raw) - arena);
  }}
  for (size_t i = 0; i < {output_count}; i++) {{
    outputs[i].offset = static_cast<uint32_t>(reinterpret_cast<uint8_t *>(interpreter->output(i)->data.raw) - arena);
  }}
  return static_cast<uint32_t>(interpreter->arena_used_bytes());
}}

extern "C" {{
extern const tn_model tn_model_main;
const tn_model tn_model_main = {{"{called}", "{sha256}", kArenaBytes, {ops}, {input_count}, {output_count}, inputs,
                                outputs, invoke}};
}}
"""


def generate_tflm(content: bytes, arena_bytes: int, called: str = "main") -> Generated:
    """Sources for the .tflite `content`, whose interpreter gets `arena_bytes` (a multiple of 16).

    The board runs what our engine runs: float ends stripped, constants folded.

    Raises:
        ModelError: not an int8 model.
    """
    graph = deployable(read_tflite(content))
    methods = op_methods(graph)
    source = _SOURCE.format(
        arena_bytes=arena_bytes,
        network="\n".join(_bytes(write_tflite(graph))),
        inputs="\n".join(_io(graph.tensors[index]) for index in graph.inputs),
        outputs="\n".join(_io(graph.tensors[index]) for index in graph.outputs),
        op_count=len(methods),
        added=" &&\n         ".join(f"resolver->{name}() == kTfLiteOk" for name in methods),
        ops=len(graph.ops),
        input_count=len(graph.inputs),
        output_count=len(graph.outputs),
        called=called,
        sha256=hashlib.sha256(content).hexdigest(),
    )
    return Generated("main", {"model.cpp": source.encode()}, (), arena_bytes)


def op_methods(graph: Graph) -> list[str]:
    """Methods of upstream's op resolver that register the ops of a deployable graph."""
    return [method(kind) for kind in sorted({op.kind for op in graph.ops})]


def method(kind: str) -> str:
    """DEPTHWISE_CONV_2D as AddDepthwiseConv2D."""
    parts = (part.upper() if part[0].isdigit() else part.capitalize() for part in kind.split("_"))
    return "Add" + _NAMES.get(kind, "".join(parts))


def _io(tensor: Tensor) -> str:
    """A tn_io; its offset is filled in at start."""
    assert tensor.quant is not None
    scale, zero_point = float(tensor.quant.scale[0]), int(tensor.quant.zero_point[0])
    dims = ", ".join(map(str, _dims(tensor.shape)))
    rank = len(_dims(tensor.shape))
    return f'    {{"", 0, {tensor.elements}, {scale!r}f, {zero_point}, {rank}, {{{dims}}}}},'


def _dims(shape: Sequence[int]) -> tuple[int, ...]:
    return tuple(shape) or (1,)


def _bytes(data: bytes) -> Iterator[str]:
    for at in range(0, len(data), _BYTES_PER_LINE):
        yield "    " + ", ".join(map(str, data[at : at + _BYTES_PER_LINE])) + ","
