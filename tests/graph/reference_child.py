"""Child process that owns TensorFlow's interpreter, for `reference_kernels`."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinynas.graph.child import Message, serve


class _Session:
    """The loaded interpreter, if any."""

    def __init__(self) -> None:
        self.interpreter: Any = None

    def handle(self, request: Message) -> Message:
        return {"load": self._load, "run": self._run}[request.fields["ask"]](request)

    def _load(self, request: Message) -> Message:
        import tensorflow as tf

        self.interpreter = tf.lite.Interpreter(
            model_content=request.arrays[0].tobytes(),
            num_threads=1,
            experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_REF,
        )
        self.interpreter.allocate_tensors()
        return Message({})

    def _run(self, request: Message) -> Message:
        """Arrays [n, *input shape] per input -> arrays [n, *output shape] per output."""
        takes = [detail["index"] for detail in self.interpreter.get_input_details()]
        gives = [detail["index"] for detail in self.interpreter.get_output_details()]
        collected: list[list[Any]] = [[] for _ in gives]
        for sample in zip(*request.arrays, strict=True):
            for index, value in zip(takes, sample, strict=True):
                self.interpreter.set_tensor(index, value)
            self.interpreter.invoke()
            for index, values in zip(gives, collected, strict=True):
                values.append(self.interpreter.get_tensor(index))
        return Message({}, tuple(np.stack(values) for values in collected))


if __name__ == "__main__":
    serve(_Session().handle)
