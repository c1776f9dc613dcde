"""A script for TensorFlow: trains a small Keras net on drawn shapes, and converts it with TensorFlow's converter.

`python -m tests.quantize.keras_task FOLDER` leaves net.keras, net.h5, tensorflow_int8.tflite and data.npz there.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIDE = 16


def drawn_shapes(count: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Noisy images [count, 16, 16, 1] of a horizontal bar (0), a vertical bar (1) or a square (2), faint on purpose."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, count)
    images = rng.normal(100, 45, (count, SIDE, SIDE, 1))
    sizes = np.array([(3, 9), (9, 3), (5, 5)])[labels]
    for image, (high, wide) in zip(images, sizes, strict=True):
        top, left = rng.integers(0, SIDE - high + 1), rng.integers(0, SIDE - wide + 1)
        image[top : top + high, left : left + wide] += 60
    return np.clip(np.rint(images), 0, 255).astype(np.uint8), labels.astype(np.int64)


def _net(keras: Any) -> Any:
    """A stem and two inverted residuals with BatchNorm, one of them with a sum; flatten-free head."""
    layers = keras.layers
    x = inputs = keras.Input((SIDE, SIDE, 1))

    def normed(layer: Any, value: Any, activation: bool = True) -> Any:
        value = layers.BatchNormalization(momentum=0.9)(layer(value))
        return layers.ReLU(6.0)(value) if activation else value

    x = normed(layers.Conv2D(8, 3, 2, "same", use_bias=False), x)
    for stride in (1, 2):
        before = x
        x = normed(layers.Conv2D(24, 1, use_bias=False), x)
        x = normed(layers.DepthwiseConv2D(3, stride, "same", use_bias=False), x)
        x = normed(layers.Conv2D(8, 1, use_bias=False), x, activation=False)
        x = layers.Add()([before, x]) if stride == 1 else x
    x = layers.Flatten()(layers.AveragePooling2D(4)(x))
    return keras.Model(inputs, layers.Softmax()(layers.Dense(3)(x)))


def _tensorflow_int8(tf: Any, model: Any, images: NDArray[np.uint8]) -> bytes:
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([image[np.newaxis].astype(np.float32) / 255] for image in images)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return bytes(converter.convert())


def main(folder: Path) -> None:
    """Train, convert, save."""
    import tensorflow as tf

    tf.keras.utils.set_random_seed(0)
    tf.config.threading.set_intra_op_parallelism_threads(1)
    images, labels = drawn_shapes(2000, seed=0)
    model = _net(tf.keras)
    model.compile(tf.keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", jit_compile=False)
    model.fit(images / np.float32(255), labels, batch_size=64, epochs=4, verbose=0)
    model.save(folder / "net.keras")
    model.save(folder / "net.h5")
    (folder / "tensorflow_int8.tflite").write_bytes(_tensorflow_int8(tf, model, images[:100]))
    test_images, test_labels = drawn_shapes(4000, seed=1)
    scores = model.predict(test_images / np.float32(255), verbose=0)
    np.savez(folder / "data.npz", train=images, images=test_images, labels=test_labels, scores=scores)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
