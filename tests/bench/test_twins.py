"""Twins do the same work as the models they stand for, in a form that the engine runs."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from bench.recorded import baselines
from bench.twins import TWINS, twin
from tinynas.engine.host import HostModel
from tinynas.graph.stats import macs
from tinynas.graph.tflite_reader import read_tflite
from tinynas.graph.tflm import TflmInterpreter
from tinynas.lab.board import Core
from tinynas.plan.planner import plan
from tinynas.quantize.seeded import seeded_inputs

HEAD = {"AVERAGE_POOL_2D": 1, "RESHAPE": 1, "FULLY_CONNECTED": 1, "SOFTMAX": 1}
# ops of the published files, their float ends left out
OPS = {
    "vww": {"CONV_2D": 14, "DEPTHWISE_CONV_2D": 13, **HEAD},
    "kws": {"CONV_2D": 5, "DEPTHWISE_CONV_2D": 4, **HEAD},
    "resnet": {"CONV_2D": 9, "ADD": 3, **HEAD},
    "ad": {"FULLY_CONNECTED": 10},
}


@pytest.mark.parametrize("name", list(TWINS))
def test_a_twin_has_the_recorded_macs_and_can_be_planned(name: str) -> None:
    graph = read_tflite(twin(name))
    assert macs(graph) == baselines().models[name].macs
    for core in (Core.M4, Core.M7, Core.M55):
        assert plan(graph, core).macs == baselines().models[name].macs


@pytest.mark.parametrize("name", list(OPS))
def test_a_twin_has_the_ops_of_its_model(name: str) -> None:
    assert Counter(op.kind for op in read_tflite(twin(name)).ops) == OPS[name]


def test_one_seed_gives_the_same_bytes_another_does_not() -> None:
    assert twin("ad") == twin("ad")
    assert twin("ad") != twin("ad", seed=1)


@pytest.mark.parametrize("name", ["kws", "ad"])
def test_a_twin_is_bit_exact(name: str) -> None:
    model = twin(name)
    graph = read_tflite(model)
    inputs = seeded_inputs(graph, 0)[0]
    with TflmInterpreter(model) as interpreter:
        np.testing.assert_array_equal(HostModel(graph).run(inputs)[0].ravel(), interpreter.run(inputs)[0].ravel())
