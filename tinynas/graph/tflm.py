"""The TFLite Micro interpreter (PyPI tflite-micro, portable reference kernels): the truth for bit-exactness."""

from __future__ import annotations

from dataclasses import dataclass

from tinynas.errors import ModelError
from tinynas.graph.child import Message, Worker
from tinynas.graph.child_interpreter import ChildInterpreter

_SMALLEST_ARENA_BYTES, _LARGEST_ARENA_BYTES = 1 << 20, 1 << 28


@dataclass(frozen=True)
class ArenaUse:
    """Bytes TFLite Micro uses of its arena on this (64-bit) host; its structures in the tail are smaller on an MCU."""

    total_bytes: int
    head_bytes: int  # activations and scratch: the same on a 32-bit target
    tail_bytes: int  # the interpreter's own structures


class TflmWorker(Worker):
    """A child process that runs TFLite Micro for many interpreters, one after the other."""

    def __init__(self) -> None:
        super().__init__("tinynas.graph.tflm_child")


class TflmInterpreter(ChildInterpreter):
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
        super().__init__("TFLite Micro", model, worker or TflmWorker(), worker is None, timeout_s)
        try:
            self.arena_bytes = self._load_in_arena(model, arena_bytes)
        except BaseException:
            self.close()
            raise

    @property
    def arena_use(self) -> ArenaUse:
        found = self._ask(Message({"ask": "allocations"})).fields
        return ArenaUse(found["total"], found["head"], found["tail"])

    @property
    def arena_used_bytes(self) -> int:
        return self.arena_use.total_bytes

    def _load_in_arena(self, model: bytes, arena_bytes: int | None) -> int:
        """Load into an arena of `arena_bytes`, or into the first of a growing series that suffices; its size."""
        size = arena_bytes or max(_SMALLEST_ARENA_BYTES, len(model) // 4)
        while True:
            try:
                self._load(model, {"arena_bytes": size})
                return size
            except ModelError:
                # A dead child has said all it can; a live one may just have found the arena too small.
                if arena_bytes or size >= _LARGEST_ARENA_BYTES or not self._child.alive:
                    raise
                size *= 8
