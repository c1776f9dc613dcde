from __future__ import annotations

from experiments.once_for_all import choose
from tinynas.pipeline.features import macs
from tinynas.space.elastic import ElasticSpace
from tinynas.space.space import SearchSpace

SPACE = ElasticSpace.of(
    SearchSpace.model_validate(
        {
            "resolutions": [16],
            "head_channels": 32,
            "stem": {"channels": 8, "stride": 2},
            "stages": [
                {"out_channels": 16, "stride": 2, "depths": [1, 2], "kernels": [3, 5, 7], "expand_ratios": [2, 4]},
                {"out_channels": 24, "depths": [1, 2], "kernels": [3, 5], "expand_ratios": [2, 3]},
            ],
        }
    )
)


def test_subnets_of_the_study_are_spread_over_the_order_of_macs() -> None:
    chosen = choose(SPACE)
    costs = [macs(SPACE.netspec(arch)) for arch in chosen]
    assert len(set(chosen)) == 6
    assert costs == sorted(costs)
    assert costs[-1] > 1.5 * costs[0]
