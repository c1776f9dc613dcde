from __future__ import annotations

import pytest

from experiments.tables import heldout, main, subnets
from tinynas.resources import resource

RESULTS = resource("firmware").parent / "docs" / "results"


def row(seed: int, macs: int, subnet: float, alone: float) -> dict[str, object]:
    gap = {"difference": alone - subnet}
    shared = {"seed": seed, "macs": macs, "latency_us": macs / 100 + 100 * seed}
    return {**shared, "accuracy_subnet": subnet, "accuracy_alone": alone, "alone_less_subnet": gap}


FOUND = {
    "subnets": [row(0, 2_000_000, 0.8, 0.79), row(0, 1_000_000, 0.7, 0.72), row(1, 2_000_000, 0.82, 0.83)],
    "mean_gap": 0.0067,
    "worst_gap": 0.02,
    "cost": {"supernet_cpu_s": 12.34},
}


def test_subnets_stand_in_order_of_macs_with_a_pair_of_columns_per_seed() -> None:
    head, _, small, large, *rest = subnets(FOUND)
    assert head.count("subnet |") == 2 and head.startswith("| MMACs | ms | seed 0: subnet | seed 0: alone | seed 1")
    assert small.startswith("| 1.00 | 10.0 | 70.0 % | 72.0 % |") and small.endswith("| +2.0, +2.0 |")
    assert large == "| 2.00 | 20.1 | 80.0 % | 79.0 % | 82.0 % | 83.0 % | +0.0, +1.0 |"
    assert rest == ["mean gap +0.67 points, worst +2.00", "{'supernet_cpu_s': 12.3}"]


def test_held_out_networks_give_tau_with_an_error_and_the_lead() -> None:
    accuracies = [0.70, 0.72, 0.75, 0.77, 0.80]
    rows = [
        {"accuracies": [value], "predicted": value, "nsr": [value], "baselines": {"macs": place}}
        for value, place in zip(accuracies, (2, 1, 3, 4, 5), strict=True)
    ]
    first, _, _, own, summed, macs = heldout(rows)
    assert first == "5 held out, accuracies 70.0 % to 80.0 %"
    assert own == "| **predictor** | 1.00 +- 0.000 | 0.00 +- 0.000 |"
    assert summed == "| sum_nsr | -1.00 +- 0.000 | 2.00 +- 0.000 |"
    # one pair of ten is wrong: 0.8; without either of the two 1, without any other 2 / 3
    error = (4 / 5 * (2 * (1 - 0.8) ** 2 + 3 * (2 / 3 - 0.8) ** 2)) ** 0.5
    assert macs == f"| macs | 0.80 +- {error:.3f} | 0.20 +- {error:.3f} |"


def test_every_kept_result_makes_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    """Of docs/results; lists of fitted networks are what pictures are drawn of."""
    main(RESULTS)
    printed = capsys.readouterr().out
    kept = [path.name for path in RESULTS.glob("*.json") if not path.stem.endswith("-fitting")]
    assert len(kept) > 5
    assert [name for name in kept if f"### {name}\n" not in printed] == []
