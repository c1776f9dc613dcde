"""Interpreters that many tests share: each is a child process that takes a while to start."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator

import pytest

from tests.graph.reference_kernels import TensorFlowWorker
from tinynas.graph.tflm import TflmWorker


@pytest.fixture(scope="session")
def tflm() -> Iterator[TflmWorker]:
    with TflmWorker() as worker:
        yield worker


@pytest.fixture(scope="session")
def tensorflow() -> Iterator[TensorFlowWorker]:
    if importlib.util.find_spec("tensorflow") is None:
        pytest.skip(
            "TensorFlow is not installed (pip install 'tinynas[verify]'): its reference kernels are not compared"
        )
    with TensorFlowWorker() as worker:
        yield worker
