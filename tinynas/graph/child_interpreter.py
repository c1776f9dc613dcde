"""What interpreters in child processes share: one loaded model, runs of many samples, float ends at their int8 side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tinynas.graph.child import Array, Child, Message
from tinynas.graph.int8_ends import Int8Ends


class ChildInterpreter:
    """A model loaded in a child process; a context manager. `close_child` is called on close."""

    def __init__(
        self, name: str, model: bytes, child: Child, close_child: Callable[[], None], timeout_s: float
    ) -> None:
        self.name, self.timeout_s = name, timeout_s
        self._child, self._close_child = child, close_child
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
        self._close_child()

    def run(self, inputs: Sequence[NDArray[np.int8]]) -> list[NDArray[np.int8]]:
        """Outputs of one inference, in model order; each input has its tensor's shape, batch included."""
        return [output[0] for output in self.run_many([value[np.newaxis] for value in inputs])]

    def run_many(self, inputs: Sequence[NDArray[np.int8]]) -> list[NDArray[np.int8]]:
        """n inferences: each input is [n, *tensor shape], each output too."""
        fed = self.ends.to_model(inputs)
        answer = self._ask(Message({"ask": "run", "outputs": len(self.ends.outputs)}, tuple(fed)))
        return self.ends.from_model(answer.arrays)

    def _load(self, model: bytes, options: dict[str, int]) -> None:
        raw: Array = np.frombuffer(model, np.uint8)
        self._ask(Message({"ask": "load", **options}, (raw,)))

    def _ask(self, request: Message) -> Message:
        return self._child.ask(request, self.timeout_s, self.name)
