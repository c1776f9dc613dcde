"""What interpreters in child processes share: one loaded model, runs of many samples, float ends at their int8 side."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tinynas.graph.child import Array, Message, Worker
from tinynas.graph.int8_ends import Int8Ends

_CHUNK = 64  # samples per request: few enough for the time limit, many enough to make the pipes' cost vanish


class ChildInterpreter:
    """A model loaded in a worker's child process; a context manager. `name` is the interpreter's, for errors."""

    def __init__(self, name: str, model: bytes, worker: Worker, owns_worker: bool, timeout_s: float) -> None:
        self.name, self.timeout_s = name, timeout_s
        self._worker, self._owns_worker, self._child = worker, owns_worker, worker.child()
        try:
            self.ends = Int8Ends.of_model(model)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the child process, unless it was lent."""
        if self._owns_worker:
            self._worker.close()

    def run(self, inputs: Sequence[NDArray[np.int8]]) -> list[NDArray[np.int8]]:
        """Outputs of one inference, in model order; each input has its tensor's shape, batch included."""
        return [output[0] for output in self.run_many([value[np.newaxis] for value in inputs])]

    def run_many(self, inputs: Sequence[NDArray[np.int8]]) -> list[NDArray[np.int8]]:
        """n inferences: each input is [n, *tensor shape], each output too. The time limit is for `_CHUNK` of them."""
        count = len(inputs[0]) if inputs else 0
        chunks = [[value[at : at + _CHUNK] for value in inputs] for at in range(0, max(1, count), _CHUNK)]
        parts = [self._run_chunk(chunk) for chunk in chunks]
        return [np.concatenate(outputs) for outputs in zip(*parts, strict=True)]

    def _run_chunk(self, inputs: Sequence[NDArray[np.int8]]) -> list[NDArray[np.int8]]:
        fed = self.ends.to_model(inputs)
        answer = self._ask(Message({"ask": "run", "outputs": len(self.ends.outputs)}, tuple(fed)))
        return self.ends.from_model(answer.arrays)

    def _load(self, model: bytes, options: dict[str, int]) -> None:
        raw: Array = np.frombuffer(model, np.uint8)
        self._ask(Message({"ask": "load", **options}, (raw,)))

    def _ask(self, request: Message) -> Message:
        return self._child.ask(request, self.timeout_s, self.name)
