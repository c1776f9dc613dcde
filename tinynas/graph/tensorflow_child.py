"""Child process that owns TensorFlow: reference kernels (`reference_kernels`) and Keras files (`keras_reader`)."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinynas.graph.child import Message, serve


class _Session:
    """The loaded interpreter, if any."""

    def __init__(self) -> None:
        self.interpreter: Any = None

    def handle(self, request: Message) -> Message:
        try:
            import tensorflow as tf
        except ImportError as error:
            return Message({"missing_tool": f"needs TensorFlow ({error}); pip install 'tinynas[verify]'"})
        return {"load": self._load, "run": self._run, "keras": _keras}[request.fields["ask"]](tf, request)

    def _load(self, tf: Any, request: Message) -> Message:
        self.interpreter = tf.lite.Interpreter(
            model_content=request.arrays[0].tobytes(),
            num_threads=1,
            experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_REF,
        )
        self.interpreter.allocate_tensors()
        return Message({})

    def _run(self, _tf: Any, request: Message) -> Message:
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


def _keras(tf: Any, request: Message) -> Message:
    """Path of a Keras file -> float `.tflite` of it. An open batch is 1 in there, with SHAPE ops to compute it."""
    model = tf.keras.models.load_model(request.fields["path"], compile=False)
    if len(model.inputs) != 1:
        return Message({"error": f"the Keras model has {len(model.inputs)} inputs, wanted 1"})
    shape = (1, *model.inputs[0].shape[1:])
    if None in shape:
        return Message({"error": f"the Keras model's input {shape} has an open dimension; build it with a fixed size"})
    converted = tf.lite.TFLiteConverter.from_keras_model(model).convert()
    return Message({}, (np.frombuffer(converted, np.uint8),))


if __name__ == "__main__":
    serve(_Session().handle)
