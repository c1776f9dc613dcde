from __future__ import annotations

import importlib.util
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.graph.floats import run_float
from tests.graph.nets import SMALL_SPEC, float_net, int8_net
from tests.graph.test_tflm import with_float_ends
from tinynas.errors import ConfigError, ModelError
from tinynas.graph.compare import first_difference
from tinynas.graph.interface import deployable
from tinynas.graph.keras_reader import read_keras
from tinynas.graph.lower import lower
from tinynas.graph.tflite_reader import read_tflite
from tinynas.graph.tflite_writer import write_tflite
from tinynas.graph.tflm import TflmInterpreter
from tinynas.quantize.convert import convert, input_shape, is_float, load_model

IMAGES = np.random.default_rng(0).integers(0, 256, (16, 13, 11, 3), np.uint8)


def saved(folder: Path, content: bytes, name: str = "net.tflite") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def test_a_float_tflite_becomes_int8(tmp_path: Path) -> None:
    path = saved(tmp_path, write_tflite(float_net()))
    assert input_shape(load_model(path)) == (13, 11, 3)
    model = convert(path, IMAGES)
    assert first_difference(deployable(read_tflite(model)), read_tflite(model)) is None
    assert convert(path, IMAGES) == model


@pytest.mark.parametrize("graph", [int8_net(), with_float_ends(int8_net())], ids=["int8 ends", "float ends"])
def test_an_int8_tflite_is_passed_through(tmp_path: Path, graph: object) -> None:
    content = write_tflite(graph)  # type: ignore[arg-type]
    assert convert(saved(tmp_path, content), None) == content


def test_a_float_model_without_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"net\.tflite: a float model needs calibration images.*--data"):
        convert(saved(tmp_path, write_tflite(float_net())), None)


def test_images_of_another_size_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"takes uint8 images of 13x11x3 .* are uint8 13x11x1"):
        convert(saved(tmp_path, write_tflite(float_net())), IMAGES[..., :1])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("net.onnx", b"x", r"unknown kind of model '\.onnx'; known: \.tflite, \.keras, \.h5, \.npz"),
        ("net.tflite", b"x", r"net\.tflite: not a \.tflite file"),
    ],
)
def test_files_that_cannot_be_read_are_named(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        convert(saved(tmp_path, content, name), IMAGES)


@pytest.mark.parametrize("name", ["missing.tflite", "missing.keras", "missing.npz"])
def test_missing_files_are_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelError, match=f"{name}: no such model file"):
        convert(tmp_path / name, IMAGES)


def test_our_checkpoint_becomes_int8(tmp_path: Path) -> None:
    """The int8 network has the plan-relevant structure of its NetSpec, and follows the float one."""
    torch = pytest.importorskip("torch", reason="torch is not installed (pip install 'tinynas[train]')")
    from tinynas.nets.checkpoint import save_network
    from tinynas.nets.network import build_network

    torch.set_num_threads(1)
    network = build_network(SMALL_SPEC, seed=0)
    with torch.no_grad():  # statistics as training leaves them: of untrained ones int8 networks can abort
        network.train()(torch.from_numpy(IMAGES / np.float32(255)).permute(0, 3, 1, 2))
    save_network(tmp_path / "net.npz", network.eval())
    graph = read_tflite(convert(tmp_path / "net.npz", IMAGES))
    assert graph.ops == lower(SMALL_SPEC).ops


@dataclass(frozen=True)
class KerasTask:
    """What `keras_task` left: a trained Keras net, TensorFlow's own int8 file of it, and data."""

    folder: Path
    train: NDArray[np.uint8]
    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    scores: NDArray[np.float32]  # of Keras on `images`

    def accuracy(self, model: bytes) -> float:
        """In TFLite Micro, fed with pixel - 128."""
        pixels = (self.images.astype(np.int16) - 128).astype(np.int8)
        with TflmInterpreter(model) as interpreter:
            (outputs,) = interpreter.run_many([pixels[:, np.newaxis]])
        return float((outputs[:, 0].argmax(1) == self.labels).mean())


@pytest.fixture(scope="module")
def keras_task(tmp_path_factory: pytest.TempPathFactory) -> KerasTask:
    if importlib.util.find_spec("tensorflow") is None:
        pytest.skip(
            "TensorFlow is not installed (pip install 'tinynas[verify]'): nothing to compare its converter with"
        )
    folder = tmp_path_factory.mktemp("keras")
    subprocess.run(
        [sys.executable, "-m", "tests.quantize.keras_task", str(folder)],
        check=True,
        capture_output=True,
        cwd=Path(__file__).parents[2],
    )
    with np.load(folder / "data.npz") as data:
        return KerasTask(folder, data["train"], data["images"], data["labels"], data["scores"])


@pytest.fixture(scope="module")
def converted(keras_task: KerasTask) -> bytes:
    return convert(keras_task.folder / "net.keras", keras_task.train[:100])


def test_as_accurate_as_tensorflow_own_converter(keras_task: KerasTask, converted: bytes) -> None:
    """Within half a point on 4,000 images, and int8 loses at most 0.02 against Keras in float."""
    ours = keras_task.accuracy(converted)
    theirs = keras_task.accuracy((keras_task.folder / "tensorflow_int8.tflite").read_bytes())
    in_float = float((keras_task.scores.argmax(1) == keras_task.labels).mean())
    assert in_float > 0.7  # the net has learnt something, and is not so sure that quantisation cannot show
    assert abs(ours - theirs) <= 0.005
    assert in_float - ours <= 0.02


def test_same_ops_as_tensorflow_own_converter(keras_task: KerasTask, converted: bytes) -> None:
    ours = deployable(read_tflite(converted))
    theirs = deployable(read_tflite((keras_task.folder / "tensorflow_int8.tflite").read_bytes()))
    assert [(op.kind, op.attrs) for op in ours.ops] == [(op.kind, op.attrs) for op in theirs.ops]


def test_an_h5_file_reads_as_a_float_graph(keras_task: KerasTask) -> None:
    graph = read_keras(keras_task.folder / "net.h5")
    assert is_float(graph) and input_shape(graph) == (16, 16, 1)
    samples = (keras_task.images[:50] / 255).astype(np.float32)
    (scores,) = run_float(graph, samples, graph.outputs)
    np.testing.assert_allclose(scores, keras_task.scores[:50], atol=1e-4)


def test_a_broken_keras_file_is_one_clear_line(keras_task: KerasTask, tmp_path: Path) -> None:
    broken = saved(tmp_path, (keras_task.folder / "net.keras").read_bytes()[:1000], "broken.keras")
    with pytest.raises(ModelError, match=r"broken\.keras") as caught:
        read_keras(broken)
    assert "\n" not in str(caught.value)
