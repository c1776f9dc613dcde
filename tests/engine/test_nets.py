"""Whole networks, made as the pipeline makes them, byte for byte against TFLite Micro."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.plan.nets import dags
from tinynas.engine.host import HostModel
from tinynas.graph.ir import DType, Graph
from tinynas.graph.lower import bind, lower
from tinynas.graph.tflite_writer import write_tflite
from tinynas.graph.tflm import TflmInterpreter, TflmWorker
from tinynas.lab.board import Core
from tinynas.plan.planner import plan
from tinynas.quantize.calibrate import collect_ranges
from tinynas.quantize.ptq import quantize
from tinynas.quantize.seeded import seeded_inputs
from tinynas.space.netspec import BlockSpec, NetSpec

blocks = st.builds(
    lambda expand, out, kernel, stride: (expand, out, kernel, stride),
    st.sampled_from([1, 3]),
    st.sampled_from([6, 8]),
    st.sampled_from([3, 5]),
    st.sampled_from([1, 2]),
)


@st.composite
def specs(draw: st.DrawFn) -> NetSpec:
    channels, stages = draw(st.sampled_from([6, 8])), []
    stem = channels
    for _ in range(draw(st.integers(1, 3))):
        expand, out, kernel, stride = draw(blocks)
        stages.append((BlockSpec(channels, channels * expand, out, kernel, stride),))
        channels = out
    shape = (draw(st.integers(9, 20)), draw(st.integers(9, 20)), draw(st.sampled_from([1, 3])))
    return NetSpec(shape, draw(st.integers(2, 5)), stem, 2, tuple(stages), draw(st.sampled_from([0, 12])))


def trained(spec: NetSpec, seed: int) -> Graph:
    """An int8 network with random weights."""
    rng = np.random.default_rng(seed)
    graph = lower(spec, DType.FLOAT32)
    weights = {
        t.name: rng.normal(0, 0.4, t.shape).astype(np.float32)
        for t in graph.tensors
        if t.const and t.dtype is DType.FLOAT32
    }
    graph = bind(graph, weights)
    samples = rng.random((8, *spec.input_shape), np.float32)
    return quantize(graph, collect_ranges(graph, samples))


@pytest.fixture(scope="module")
def worker() -> Iterator[TflmWorker]:
    with TflmWorker() as running:
        yield running


relaxed = settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


def test_quantised_networks(worker: TflmWorker) -> None:
    @relaxed
    @given(specs(), st.integers(0, 99))
    def check(spec: NetSpec, seed: int) -> None:
        graph = trained(spec, seed)
        assert_same(graph, worker)
        for core in (Core.M4, Core.M55):
            weightless, real = plan(lower(spec), core), plan(graph, core)
            assert weightless == real

    check()


def test_networks_with_branches(worker: TflmWorker) -> None:
    @settings(relaxed, max_examples=20)
    @given(dags())
    def check(graph: Graph) -> None:
        assert_same(graph, worker)

    check()


def assert_same(graph: Graph, worker: TflmWorker) -> None:
    interpreter, model = TflmInterpreter(write_tflite(graph), worker=worker), HostModel(graph)
    for inputs in seeded_inputs(graph, 0, 2):
        for found, wanted in zip(model.run(inputs), interpreter.run(inputs), strict=True):
            np.testing.assert_array_equal(found, wanted)
