from __future__ import annotations

from typing import Any

from tinynas.pipeline.summary import verdict


def entry(accuracy: float, latency_us: float, **changes: Any) -> dict[str, Any]:
    figures: dict[str, Any] = {
        "name": "net",
        "accuracy_int8": accuracy,
        "accuracy_validation": accuracy,
        "latency_us": latency_us,
        "peak_sram_bytes": 1000,
        "fits_board": True,
    }
    return figures | changes


def test_the_rival_is_the_best_baseline_on_validation_images() -> None:
    """Not on test images: the choice would peek at them."""
    lucky = entry(0.9, 5.0, name="lucky", accuracy_validation=0.5)
    found = verdict(entry(0.8, 5.0), [lucky, entry(0.7, 5.0, name="good")])
    assert found["best_baseline"] == "good"
    assert found["chosen_wins"] is True


def test_a_loss_is_told_with_what_it_is_in() -> None:
    found = verdict(entry(0.8, 6.0), [entry(0.8, 5.0)])
    assert found["chosen_wins"] is False
    assert "does NOT beat the best baseline, net, in accuracy, latency:" in found["text"]


def test_a_baseline_that_does_not_fit_is_no_rival() -> None:
    too_large = entry(0.9, 1.0, fits_board=False)
    assert verdict(entry(0.8, 6.0), [too_large])["chosen_wins"] is None
    assert verdict(entry(0.8, 6.0), [too_large, entry(0.7, 6.0)])["chosen_wins"] is True


def test_without_a_rival_the_verdict_says_why() -> None:
    assert "fits the board" in verdict(entry(0.8, 6.0), [entry(0.9, 1.0, fits_board=False)])["text"]
    assert "no baseline was trained" in verdict(entry(0.8, 6.0), [])["text"]
