from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.train.test_supervised import digit_data
from tinynas.data.images import at_resolution
from tinynas.graph.tflm import TflmInterpreter
from tinynas.nets.network import build_network
from tinynas.pipeline.int8 import calibration_images, int8_accuracy, int8_model
from tinynas.space.netspec import BlockSpec, NetSpec

SPEC = NetSpec((12, 12, 1), 10, 8, 2, ((BlockSpec(8, 16, 8, 3, 1),),), 16)


def test_int8_accuracy_is_tflite_micros_with_and_without_a_compiler(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    data = digit_data()
    model = int8_model(build_network(SPEC, seed=0).eval(), calibration_images(data.train, 8, seed=0))
    split = data.test.head(120)
    inputs = (at_resolution(split.images, 12).astype(np.int16) - 128).astype(np.int8)
    with TflmInterpreter(model) as interpreter:
        right = interpreter.run_many([inputs[:, np.newaxis]])[0].reshape(120, 10).argmax(1) == split.labels
    assert 0 < right.mean() < 1
    assert int8_accuracy(model, split) == right.mean()
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    assert int8_accuracy(model, split) == right.mean()
