"""A network run by the engine's kernels on this machine."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinynas.engine.compile_host import compile_host
from tinynas.engine.generate import generate
from tinynas.errors import ModelError
from tinynas.graph.ir import Graph
from tinynas.lab.board import Core
from tinynas.plan.plan import Plan, Step
from tinynas.plan.planner import plan as make_plan

Int8 = NDArray[np.int8]
OnStep = Callable[[int], None]

_MARK = ctypes.CFUNCTYPE(None, ctypes.c_uint32, ctypes.c_void_p)
_INVOKE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, _MARK, ctypes.c_void_p)


class _Model(ctypes.Structure):
    """`tn_model` of tn_model.h."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("sha256", ctypes.c_char_p),
        ("arena_bytes", ctypes.c_uint32),
        ("ops", ctypes.c_uint32),
        ("input_count", ctypes.c_uint32),
        ("output_count", ctypes.c_uint32),
        ("inputs", ctypes.c_void_p),
        ("outputs", ctypes.c_void_p),
        ("invoke", _INVOKE),
    )


@dataclass(frozen=True)
class OpOutput:
    """What one op of the prepared graph (`Plan.graph`) wrote."""

    op: int
    kind: str
    tensor: int
    values: Int8


class HostModel:
    """The generated C of a network, compiled by the host's compiler (cached) and called through ctypes."""

    def __init__(self, graph: Graph, plan: Plan | None = None) -> None:
        """`plan` defaults to the host's. Raises `ModelError` or `ToolError` as planning and compiling do."""
        self.plan = make_plan(graph, Core.HOST) if plan is None else plan
        self.graph = self.plan.graph
        self._library = ctypes.CDLL(str(compile_host(generate(graph, self.plan))))
        self._model = _Model.in_dll(self._library, "tn_model_main")
        self._arena = _Arena(self.plan.arena_bytes)

    def run(self, inputs: Sequence[Int8]) -> list[Int8]:
        """Outputs of one inference, in model order; each array has its tensor's shape, batch included."""
        return self._run(inputs, lambda step: None)

    def run_many(self, inputs: Sequence[Int8]) -> list[Int8]:
        """n inferences: each input is [n, *tensor shape], each output too."""
        each = [self.run([x[i] for x in inputs]) for i in range(len(inputs[0]))]
        return [np.stack(values) for values in zip(*each, strict=True)]

    def run_per_op(self, inputs: Sequence[Int8]) -> list[OpOutput]:
        """The outputs of every step, in execution order, each named by the last op that the step computes.

        They are copied out of the arena before the next step starts, which may overwrite them. The plan must be one
        whose ops all run whole (`streamed=False`).
        """
        if any(step.band is not None for step in self.plan.steps):
            raise ValueError("ops that run in bands of rows have no outputs to show; plan with streamed=False")
        done: list[OpOutput] = []

        def on_step(step: int) -> None:
            if step > 0:
                done.extend(self._outputs_of(self.plan.steps[step - 1]))

        self._run(inputs, on_step)
        for step in self.plan.steps[-1:]:
            done.extend(self._outputs_of(step))
        return done

    def _outputs_of(self, step: Step) -> list[OpOutput]:
        op = step.ops[-1]
        return [OpOutput(op, self.graph.ops[op].kind, tensor, self._read(tensor)) for tensor in step.outputs]

    def _run(self, inputs: Sequence[Int8], on_step: OnStep) -> list[Int8]:
        self._load(inputs)
        started = iter(range(len(self.plan.steps)))
        status = self._model.invoke(self._arena.address, _MARK(lambda index, user: on_step(next(started))), None)
        if status != 0 or not self._arena.intact():
            raise AssertionError(f"status {status}, guard bytes intact: {self._arena.intact()}")
        return [self._read(tensor) for tensor in self.graph.outputs]

    def _load(self, inputs: Sequence[Int8]) -> None:
        wanted = [self.graph.tensors[i] for i in self.graph.inputs]
        if [x.shape for x in inputs] != [t.shape for t in wanted] or any(x.dtype != np.int8 for x in inputs):
            found = ", ".join(f"{x.dtype} {list(x.shape)}" for x in inputs)
            shapes = ", ".join(f"int8 {list(t.shape)}" for t in wanted)
            raise ModelError(f"inputs: wanted {shapes}; found {found}")
        for index, x in zip(self.graph.inputs, inputs, strict=True):
            self._arena.slot(self.plan.buffers[index].offset, x.size)[:] = x.ravel()

    def _read(self, tensor: int) -> Int8:
        shape = self.graph.tensors[tensor].shape
        offset = self.plan.buffers[tensor].offset
        return self._arena.slot(offset, self.graph.tensors[tensor].elements).copy().reshape(shape)


class _Arena:
    """Aligned memory between guard bytes, which show a write out of bounds."""

    GUARD_BYTES = 64
    PATTERN = 0x5A

    def __init__(self, size_bytes: int) -> None:
        align = self.GUARD_BYTES
        self._raw = np.full(size_bytes + 3 * align, self.PATTERN, np.int8)
        self._start = align + -self._raw.ctypes.data % align
        self._size = size_bytes
        self.address = self._raw.ctypes.data + self._start

    def slot(self, offset: int, size: int) -> Int8:
        return self._raw[self._start + offset : self._start + offset + size]

    def intact(self) -> bool:
        before, after = self._raw[: self._start], self._raw[self._start + self._size :]
        return bool(np.all(before == self.PATTERN) and np.all(after == self.PATTERN))
