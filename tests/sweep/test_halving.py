"""The better settings go on to more epochs, as many as asked for and never a broken one."""

from typing import Any

import pytest

from steelyard.construct import Refused
from steelyard.sweep.halving import Halving


def test_each_round_is_a_share_of_the_one_before() -> None:
    assert Halving(epochs=[2, 4, 12]).sizes(15) == [15, 8, 4]
    assert Halving(epochs=[1, 2, 3, 4], keep=0.1).sizes(30) == [30, 3, 1, 1]


def test_the_best_scores_go_on_in_their_order() -> None:
    assert Halving(epochs=[1, 2]).best([0.9, 0.1, 0.5, 0.2]) == [1, 3]
    assert Halving(epochs=[1, 2]).best([0.0, -0.1, 0.5]) == [0, 1]


def test_a_setting_without_a_score_does_not_go_on() -> None:
    assert Halving(epochs=[1, 2], keep=0.9).best([None, 0.4, None]) == [1]
    assert Halving(epochs=[1, 2]).best([None, None]) == []


@pytest.mark.parametrize(
    ("knobs", "words"),
    [
        ({"epochs": 3}, "must be a list of two numbers or more, got 3"),
        ({"epochs": [3]}, "must be a list of two numbers or more, got [3]"),
        ({"epochs": [0, 3]}, "must be a whole number of at least 1, got 0"),
        ({"epochs": [4, 2]}, "must grow from round to round, got [4, 2]"),
        ({"epochs": [2, 2]}, "must grow from round to round, got [2, 2]"),
        ({"epochs": [1, 2], "keep": 1}, "must be a share between 0 and 1, got 1"),
        ({"epochs": [1, 2], "keep": "half"}, "got 'half'"),
    ],
)
def test_knobs_out_of_range_are_refused(knobs: dict[str, Any], words: str) -> None:
    with pytest.raises(Refused) as refused:
        Halving(**knobs)
    assert words in str(refused.value)
