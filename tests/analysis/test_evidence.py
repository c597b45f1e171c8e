"""Intervals, paired differences and fronts against numbers worked by hand."""

import math

import numpy as np
import pytest

from steelyard.analysis.evidence import estimate, non_dominated, paired


def test_three_seeds_have_student_s_interval() -> None:
    # Deviation 1, so the half width is t(0.975, 2 degrees) / sqrt(3) = 4.302653 / 1.732051.
    found = estimate([1, 2, 3])
    assert found.mean == 2
    assert found.half == pytest.approx(2.484138, abs=1e-6)
    assert not found.is_apart_from_zero


def test_one_seed_has_no_interval_and_none_no_mean() -> None:
    assert estimate([5.0]).mean == 5
    assert math.isnan(estimate([5.0]).half)
    assert not estimate([5.0]).is_apart_from_zero
    assert math.isnan(estimate([]).mean)


def test_a_seed_that_did_not_finish_is_left_out() -> None:
    assert estimate([1.0, math.nan, 3.0]).n == 2


def test_pairing_takes_away_what_seeds_share() -> None:
    found = paired([10.1, 20.1, 30.1], [10, 20, 30])
    assert found.mean == pytest.approx(0.1)
    assert found.is_apart_from_zero


def test_the_front_is_what_nothing_beats() -> None:
    points = np.array([[1, 3], [2, 2], [3, 1], [3, 3], [2, 2.5]])
    assert non_dominated(points).tolist() == [True, True, True, False, False]


def test_equal_points_do_not_beat_each_other() -> None:
    assert non_dominated(np.array([[1, 1], [1, 1]])).all()
