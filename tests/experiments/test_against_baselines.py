from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from experiments.against_baselines import Epochs, Rival
from experiments.baselines import baselines, mcunet_like
from experiments.searched import Searched
from tinynas.pipeline.features import macs

SPEC = mcunet_like(48, 1, 2)
RIVAL = Rival("hand-made", SPEC, 5000.0, 20_000, 90_000)
EQUAL = Searched((0,), 0.9, 5000.0, 20_000, 90_000, False)


def test_a_candidate_that_takes_as_much_is_allowed() -> None:
    assert RIVAL.allows(EQUAL)


@given(st.sampled_from(["latency_us", "peak_sram_bytes", "flash_bytes"]), st.integers(1, 10_000))
def test_one_that_takes_more_of_anything_is_not(what: str, more: int) -> None:
    less = Searched((0,), 0.9, 1000.0, 10_000, 40_000, True)
    assert RIVAL.allows(less)
    assert not RIVAL.allows(replace(less, **{what: getattr(EQUAL, what) + more}))


def test_baselines_fit_any_data_and_are_told_apart_by_their_names() -> None:
    for shape in ((48, 1, 2), (32, 3, 10)):
        found = baselines(*shape)
        assert len({macs(spec) for spec in found.values()}) == len(found) == 4
        assert {(spec.input_shape, spec.classes) for spec in found.values()} == {
            ((shape[0], shape[0], shape[1]), shape[2])
        }


def test_results_of_other_trainings_lie_in_files_of_their_own() -> None:
    every = [Epochs(), Epochs(30, 30), Epochs(10, 30), Epochs(30, 10)]
    assert [epochs.suffix for epochs in every] == ["", "-30-epochs", "-10-and-30-epochs", "-30-and-10-epochs"]
