"""The host's build of a network."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.engine.test_generate import generated, two_ops
from tinynas.engine.compile_host import compile_host
from tinynas.engine.host import HostModel
from tinynas.errors import ModelError, ToolError
from tinynas.graph.tflite_writer import write_tflite
from tinynas.graph.tflm import TflmInterpreter
from tinynas.quantize.seeded import seeded_inputs


def test_many_inferences_are_single_ones() -> None:
    graph = two_ops(1, 4)
    sets = seeded_inputs(graph, 0, 3)
    model = HostModel(graph)
    many = model.run_many([np.stack([x[0] for x in sets])])
    with TflmInterpreter(write_tflite(graph)) as interpreter:
        for k, inputs in enumerate(sets):
            np.testing.assert_array_equal(many[0][k], interpreter.run(inputs)[0])


def test_every_op_shows_its_output() -> None:
    """The last is the network's; the one before is clamped to give it."""
    graph = two_ops(1, 4)
    model, inputs = HostModel(graph), seeded_inputs(graph, 0)[0]
    first, last = model.run_per_op(inputs)
    assert (first.op, first.kind, first.tensor) == (0, "CONV_2D", 2)
    assert (last.op, last.kind, last.tensor) == (1, "RELU", 4)
    np.testing.assert_array_equal(last.values, model.run(inputs)[0])
    assert np.all(last.values[first.values <= -9] == -128)
    assert np.all(last.values[first.values > -9] > -128)


@pytest.mark.parametrize("wrong", [np.zeros((1, 5, 4, 2), np.int8), np.zeros((1, 5, 4, 3), np.uint8)])
def test_wrong_inputs_are_refused(wrong: NDArray[np.int8]) -> None:
    with pytest.raises(ModelError, match=r"wanted int8 \[1, 5, 4, 3\]; found"):
        HostModel(two_ops(1, 4)).run([wrong])


def test_a_missing_compiler_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    with pytest.raises(ToolError, match="no C compiler among no-such-compiler; install one"):
        compile_host(generated(two_ops(1, 4)))


def test_libraries_are_built_once() -> None:
    library = compile_host(generated(two_ops(1, 4)))
    built = library.stat().st_mtime_ns
    assert compile_host(generated(two_ops(1, 4))) == library and library.stat().st_mtime_ns == built
