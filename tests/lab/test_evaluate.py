from __future__ import annotations

import numpy as np
import pytest

from tests.lab.nets import SIDE, small_net
from tinynas.errors import DataError
from tinynas.graph.tflite_reader import read_tflite
from tinynas.graph.tflm import TflmInterpreter
from tinynas.lab.board import load_board
from tinynas.lab.evaluate import evaluate_on_board, pixels_to_int8

IMAGES = np.random.default_rng(0).integers(0, 256, (40, SIDE, SIDE, 1), np.uint8)
LABELS = np.random.default_rng(1).integers(0, 2, 40)


@pytest.mark.parametrize(("name", "boards"), [("qemu-stm32f405", 1), ("host", 2)])
def test_accuracy_is_the_interpreter_s_image_by_image(name: str, boards: int) -> None:
    model = small_net(0)
    with TflmInterpreter(model) as interpreter:
        wanted = interpreter.run_many([(IMAGES.astype(np.int16) - 128).astype(np.int8)[:, np.newaxis]])[0]
    progress: list[tuple[int, int]] = []
    busy_s: list[float] = []
    result = evaluate_on_board(
        model,
        load_board(name),
        IMAGES,
        LABELS,
        lambda done, total: progress.append((done, total)),
        boards=boards,
        on_busy=busy_s.append,
    )
    assert result.accuracy == np.mean(wanted.reshape(40, 2).argmax(1) == LABELS)
    assert (result.images, result.images_identical_to_host) == (40, 40)
    assert progress == [(16, 40), (32, 40), (40, 40)]
    assert len(busy_s) == boards and min(busy_s) > 0


def test_pixels_span_the_int8_range() -> None:
    graph = read_tflite(small_net(0))
    np.testing.assert_array_equal(pixels_to_int8(IMAGES, LABELS, graph), IMAGES.astype(np.int16) - 128)


@pytest.mark.parametrize(
    ("images", "labels"), [(IMAGES[:, :-1], LABELS), (IMAGES[:0], LABELS[:0]), (IMAGES, LABELS[:-1])]
)
def test_images_that_do_not_fit_the_model_are_refused(images: np.ndarray, labels: np.ndarray) -> None:
    with pytest.raises(DataError, match=rf"wanted at least one image of shape \({SIDE}, {SIDE}, 1\)"):
        evaluate_on_board(small_net(0), load_board("host"), images, labels)
