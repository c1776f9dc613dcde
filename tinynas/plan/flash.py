"""What an image's flash goes to: the network's numbers, the code that runs it, the runner."""

from __future__ import annotations

from dataclasses import dataclass, fields

from tinynas.graph.ir import Graph, Op
from tinynas.plan.fit import RuntimeSize, model_flash_bytes
from tinynas.plan.kernels import kernel
from tinynas.plan.plan import Plan

_WEIGHTED = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV"})
_WEIGHTS = 1  # position among the inputs of all of these
_BIAS_BYTES, _REQUANTISATION_BYTES = 4, 5  # of an output channel; requantisation: multiplier 4, shift 1


@dataclass(frozen=True)
class FlashParts:
    """Bytes of flash by use; they add up to `Fit.flash_bytes`."""

    weights_bytes: int  # int8, as the model file has them
    biases_bytes: int  # 4 B per output channel
    requantisation_bytes: int  # 5 B per scale of the weights: multiplier and shift
    parameters_bytes: int  # kernels' parameter structs, tables, and what packing adds to the weights
    kernels_bytes: int  # code of the kernels used
    calls_bytes: int  # generated code, and the description of inputs and outputs
    runner_bytes: int  # runner, start-up, libc

    @property
    def total_bytes(self) -> int:
        return sum(getattr(self, field.name) for field in fields(self))


def flash_parts(plan: Plan, runtime: RuntimeSize) -> FlashParts:
    """Flash of `plan`'s image, by use."""
    computed = dict.fromkeys(op for step in plan.steps for op in step.ops)  # once, also those that run in bands
    weighted = [plan.graph.ops[op] for op in computed if plan.graph.ops[op].kind in _WEIGHTED]
    weights = sum(plan.graph.tensors[op.inputs[_WEIGHTS]].size_bytes for op in weighted)
    biases = sum(_BIAS_BYTES * _channels(plan.graph, op) for op in weighted)
    requantisation = sum(_REQUANTISATION_BYTES * _scales(plan.graph, op) for op in weighted)
    sources = {source for name in plan.kernels for source in kernel(name).sources}
    kernels = sum(runtime.kernel_flash_bytes[source] for source in sources)
    return FlashParts(
        weights_bytes=weights,
        biases_bytes=biases,
        requantisation_bytes=requantisation,
        parameters_bytes=plan.const_bytes - weights - biases - requantisation,
        kernels_bytes=kernels,
        calls_bytes=model_flash_bytes(plan, runtime) - plan.const_bytes - kernels,
        runner_bytes=runtime.base_flash_bytes,
    )


def _channels(graph: Graph, op: Op) -> int:
    return graph.tensors[op.outputs[0]].shape[-1]


def _scales(graph: Graph, op: Op) -> int:
    quant = graph.tensors[op.inputs[_WEIGHTS]].quant
    return _channels(graph, op) if quant is None else quant.scale.size
