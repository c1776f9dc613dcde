"""Child process that owns TensorFlow, which reads Keras files for `keras_reader`."""

from __future__ import annotations

import numpy as np

from tinynas.graph.child import Message, serve


def _converted(request: Message) -> Message:
    """Path of a Keras file -> float `.tflite` of it. An open batch is 1 in there, with SHAPE ops to compute it."""
    try:
        import tensorflow as tf
    except ImportError as error:
        return Message({"missing_tool": f"needs TensorFlow ({error}); pip install 'tinynas[verify]'"})
    model = tf.keras.models.load_model(request.fields["path"], compile=False)
    if len(model.inputs) != 1:
        return Message({"error": f"the Keras model has {len(model.inputs)} inputs, wanted 1"})
    shape = (1, *model.inputs[0].shape[1:])
    if None in shape:
        return Message({"error": f"the Keras model's input {shape} has an open dimension; build it with a fixed size"})
    converted = tf.lite.TFLiteConverter.from_keras_model(model).convert()
    return Message({}, (np.frombuffer(converted, np.uint8),))


if __name__ == "__main__":
    serve(_converted)
