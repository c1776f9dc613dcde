from __future__ import annotations

import threading

import pytest

from tinynas.pipeline.beside import beside


def test_it_runs_within_the_block_and_has_ended_after_it() -> None:
    began, ended = threading.Event(), threading.Event()

    def run(over: threading.Event) -> None:
        began.set()
        over.wait()
        ended.set()

    with beside(run):
        assert began.wait(60)
        assert not ended.is_set()
    assert ended.is_set()


def test_it_ends_where_the_block_fails() -> None:
    ended = threading.Event()

    def run(over: threading.Event) -> None:
        over.wait()
        ended.set()

    with pytest.raises(ValueError, match="failed"), beside(run):
        raise ValueError("failed")
    assert ended.is_set()
