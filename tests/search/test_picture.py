from __future__ import annotations

from tinynas.search.picture import front_picture
from tinynas.search.problem import Candidate, Generation


def generation(points: list[tuple[float, ...]], front: list[int]) -> Generation:
    candidates = tuple(Candidate((index,), values, 0) for index, values in enumerate(points))
    return Generation(3, len(points), 1, 0.5, tuple(candidates[index] for index in front), candidates)


def test_marks_stand_where_the_values_are() -> None:
    """Best error at the bottom, smallest latency on the left, log scale: 100 is half way between 10 and 1000."""
    drawn = front_picture(generation([(0.1, 1000.0), (0.5, 10.0), (0.3, 100.0)], [0, 1]), ("error", "us"), 21, 5)
    head, *rows = drawn.splitlines()
    cells = [row.partition("│")[2].ljust(21) for row in rows[:5]]
    assert "generation 3: 3 evaluated, 1 do not fit, hypervolume 0.5000, 2 on the front" in head
    assert [row.rstrip() for row in cells] == ["●", "", " " * 10 + "·", "", " " * 20 + "●"]
    assert rows[0].startswith("       0.5") and rows[4].startswith("       0.1")
    assert rows[6].split() == ["10", "1,000"]


def test_one_objective_or_one_value_is_no_trouble() -> None:
    assert front_picture(generation([(0.2,)], [0]), ("error",)).count("\n") == 0
    assert "●" in front_picture(generation([(0.2, 5.0)], [0]), ("error", "us"))
