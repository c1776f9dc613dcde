"""The rate rises to its peak, then falls to nearly zero."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tinynas.train.schedule import cosine


@given(st.integers(2, 200), st.integers(0, 50))
def test_rises_then_falls(steps: int, warmup: int) -> None:
    warmup = min(warmup, steps - 1)
    rates = [cosine(step, steps, warmup, 0.1) for step in range(steps)]
    assert min(rates) > 0 and max(rates) < 0.1 + 1e-12
    assert rates[:warmup] == sorted(rates[:warmup])
    assert rates[warmup:] == sorted(rates[warmup:], reverse=True)
    assert rates[-1] <= 0.1 * 0.7
