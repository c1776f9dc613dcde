"""Child process of `tflm.TflmInterpreter`: holds one TFLite Micro interpreter, answers load, run and allocations."""

from __future__ import annotations

import os
import re
import tempfile
from typing import Any

import numpy as np

from tinynas.graph.child import Message, serve


class _Session:
    """The loaded interpreter, if any."""

    def __init__(self) -> None:
        self.interpreter: Any = None

    def handle(self, request: Message) -> Message:
        return {"load": self._load, "run": self._run, "allocations": self._allocations}[request.fields["ask"]](request)

    def _load(self, request: Message) -> Message:
        from tflite_micro import runtime

        model = request.arrays[0].tobytes()
        self.interpreter = None  # frees the arena of the model before
        self.interpreter = runtime.Interpreter.from_bytes(model, arena_size=request.fields["arena_bytes"])
        return Message({})

    def _run(self, request: Message) -> Message:
        """Arrays [n, *input shape] per input -> arrays [n, *output shape] per output."""
        outputs: list[list[Any]] = [[] for _ in range(request.fields["outputs"])]
        for sample in zip(*request.arrays, strict=True):
            for index, value in enumerate(sample):
                self.interpreter.set_input(np.ascontiguousarray(value), index)
            self.interpreter.invoke()
            for index, collected in enumerate(outputs):
                collected.append(self.interpreter.get_output(index))
        return Message({}, tuple(np.stack(collected) for collected in outputs))

    def _allocations(self, _request: Message) -> Message:
        """Bytes of the arena in use: total, head (activations, scratch), tail (the interpreter's own structures)."""
        text = _stderr_of(self.interpreter.print_allocations)
        found = {what: re.search(rf"Arena allocation {what} (\d+) bytes", text) for what in ("total", "head", "tail")}
        return Message({what: int(match.group(1)) for what, match in found.items() if match})


def _stderr_of(call: Any) -> str:
    """What C++ code prints to file descriptor 2 during `call()`."""
    kept = os.dup(2)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        try:
            call()
        finally:
            os.dup2(kept, 2)
            os.close(kept)
        file.seek(0)
        return file.read().decode(errors="replace")


if __name__ == "__main__":
    serve(_Session().handle)
