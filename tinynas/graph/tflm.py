"""The TFLite Micro interpreter (PyPI tflite-micro, portable reference kernels): the truth for bit-exactness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tinynas.errors import ModelError
from tinynas.graph.child import Array, Child, Message
from tinynas.graph.int8_ends import Int8Ends

_CHILD = "tinynas.graph.tflm_child"
_LARGEST_ARENA_BYTES = 1 << 28


@dataclass(frozen=True)
class ArenaUse:
    """Bytes TFLite Micro uses of its arena on this (64-bit) host; its structures in the tail are smaller on an MCU."""

    total_bytes: int
    head_bytes: int  # activations and scratch: the same on a 32-bit target
    tail_bytes: int  # the interpreter's own structures


class TflmWorker:
    """A child process that runs TFLite Micro for many interpreters, one after the other, which saves its start-up."""

    def __init__(self) -> None:
        self._child = Child(_CHILD)

    def child(self) -> Child:
        """The running child; a new one if a model killed the last."""
        if not self._child.alive:
            self._child = Child(_CHILD)
        return self._child

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._child.close()


class TflmInterpreter:
    """One int8 model in TFLite Micro, in a child process. A context manager.

    Without `arena_bytes` one that suffices is found by growing. `worker` shares one child between models; only the
    interpreter made last on a worker may be used. Float inputs and outputs are taken and given at their int8 side.
    Raises `ModelError` if the model cannot be read, is float, or makes the interpreter fail, abort or exceed
    `timeout_s` in one call.
    """

    def __init__(
        self,
        model: bytes,
        arena_bytes: int | None = None,
        *,
        worker: TflmWorker | None = None,
        timeout_s: float = 120.0,
    ) -> None:
        self.ends = Int8Ends.of_model(model)
        self.timeout_s = timeout_s
        self._worker, self._owns_worker = worker or TflmWorker(), worker is None
        self._child = self._worker.child()
        try:
            self.arena_bytes = self._load(model, arena_bytes)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the child process, unless a worker lent it."""
        if self._owns_worker:
            self._worker.close()

    def run(self, inputs: Sequence[NDArray[np.int8]]) -> list[NDArray[np.int8]]:
        """Outputs of one inference, in model order; each input has its tensor's shape, batch included."""
        return [output[0] for output in self.run_many([value[np.newaxis] for value in inputs])]

    def run_many(self, inputs: Sequence[NDArray[np.int8]]) -> list[NDArray[np.int8]]:
        """n inferences: each input is [n, *tensor shape], each output too."""
        fed = self.ends.to_model(inputs)
        answer = self._ask(Message({"ask": "run", "outputs": len(self.ends.outputs)}, tuple(fed)))
        return self.ends.from_model(answer.arrays)

    @property
    def arena_use(self) -> ArenaUse:
        found = self._ask(Message({"ask": "allocations"})).fields
        return ArenaUse(found["total"], found["head"], found["tail"])

    @property
    def arena_used_bytes(self) -> int:
        return self.arena_use.total_bytes

    def _ask(self, request: Message) -> Message:
        return self._child.ask(request, self.timeout_s, "TFLite Micro")

    def _load(self, model: bytes, arena_bytes: int | None) -> int:
        """Load into an arena of `arena_bytes`, or into the first of a growing series that suffices; its size."""
        size = arena_bytes or max(1 << 20, len(model) // 4)
        while True:
            raw: Array = np.frombuffer(model, np.uint8)
            try:
                self._ask(Message({"ask": "load", "arena_bytes": size}, (raw,)))
                return size
            except ModelError:
                # A dead child has said all it can; a live one may just have found the arena too small.
                if arena_bytes or size >= _LARGEST_ARENA_BYTES or not self._child.alive:
                    raise
                size *= 8
