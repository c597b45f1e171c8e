"""Tests of differences: Holm and Student by hand, and what cannot be tested is said."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steelyard.analysis.significance import (
    PAIRED_T,
    WILCOXON,
    bootstrap,
    compared,
    holm,
    share_of,
)

NAN = math.nan
P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=12)


def test_holm_multiplies_the_smallest_by_all_and_never_falls() -> None:
    # Sorted 0.01, 0.02, 0.03, 0.04 times 4, 3, 2, 1: 0.04, 0.06, 0.06, and 0.04 raised to 0.06.
    assert holm([0.03, 0.01, 0.04, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.6, 0.7]) == [1, 1]
    assert holm([0.2]) == [0.2]
    assert holm([]) == []


def test_holm_does_not_count_what_was_not_tested() -> None:
    found = holm([0.01, NAN, 0.04])
    assert found[::2] == pytest.approx([0.02, 0.04])
    assert math.isnan(found[1])
    with pytest.raises(ValueError, match="`p_values` must be between 0 and 1"):
        holm([1.2])


@settings(deadline=None)
@given(P_VALUES)
def test_holm_keeps_the_order_and_lies_between_the_raw_and_bonferroni_s(
    given_p: list[float],
) -> None:
    p, adjusted = np.array(given_p), np.array(holm(given_p))
    assert (adjusted >= p).all()
    assert (adjusted <= np.minimum(p * len(p), 1)).all()
    assert (np.diff(adjusted[np.argsort(p)]) >= 0).all()


def test_three_seeds_have_student_s_p() -> None:
    # Differences 1, 2, 3: t = 2 sqrt(3) with 2 degrees of freedom, whose two-sided p is
    # 1 - t / sqrt(2 + t^2) = 1 - sqrt(12 / 14).
    found = compared([11.0, 22.0, 33.0], [10.0, 20.0, 30.0])
    assert found.test == PAIRED_T
    assert found.difference.mean == 2
    assert found.p == pytest.approx(1 - math.sqrt(12 / 14))
    assert found.reason == ""


def test_pairs_that_lack_a_run_are_left_out() -> None:
    whole = compared([11.0, 22.0, 33.0], [10.0, 20.0, 30.0])
    found = compared([11.0, 5.0, 22.0, NAN, 33.0], [10.0, NAN, 20.0, 3.0, 30.0])
    assert found == whole


@pytest.mark.parametrize(("one", "other"), [([1.0], [2.0]), ([1.0, NAN], [2.0, 3.0]), ([], [])])
def test_fewer_than_two_seeds_are_not_tested(one: list[float], other: list[float]) -> None:
    found = compared(one, other)
    assert math.isnan(found.p)
    assert found.reason.startswith("a test needs 2 seeds that finished in both, there is")


def test_differences_without_noise_are_not_tested() -> None:
    same = compared([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
    assert same.p == 1
    assert same.reason == "both are the same in every seed"
    shifted = compared([1.1, 2.1, 3.1], [1.0, 2.0, 3.0])
    assert math.isnan(shifted.p)
    assert "no noise" in shifted.reason


def test_ranks_are_tested_from_ten_seeds_on() -> None:
    ones = [float(n) for n in range(1, 11)]
    found = compared(ones, [0.0] * 10, WILCOXON)
    assert found.p == pytest.approx(2 / 2**10)  # all ten signs are alike
    assert found.test == WILCOXON
    few = compared(ones[:9], [0.0] * 9, WILCOXON)
    assert math.isnan(few.p)
    assert few.reason == "Wilcoxon signed rank needs 10 seeds, there are 9"


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="`test` must be 'paired t' or"):
        compared([1.0], [1.0], "sign")
    with pytest.raises(ValueError, match="`other` must have 2 seeds"):
        compared([1.0, 2.0], [1.0])


@pytest.mark.parametrize("method", ["BCa", "percentile"])
def test_resampling_finds_about_student_s_interval_where_seeds_are_many(method: str) -> None:
    values = np.random.default_rng(0).normal(5, 1, 200)
    error = values.std(ddof=1) / math.sqrt(200)
    found = bootstrap(values.tolist(), seed=1, method=method, n_resamples=4000)
    assert found.low == pytest.approx(values.mean() - 1.96 * error, abs=0.02)
    assert found.high == pytest.approx(values.mean() + 1.96 * error, abs=0.02)
    again = bootstrap([*values.tolist(), NAN], seed=1, method=method, n_resamples=4000)
    assert again == found


def test_resampling_one_seed_or_one_value_is_said_to_be_what_it_is() -> None:
    assert math.isnan(bootstrap([1.0, NAN], seed=0).low)
    assert bootstrap([2.0, 2.0], seed=0) == (2, 2)


def test_a_share_of_few_has_a_wide_interval_within_0_and_1() -> None:
    # Wilson, z = 1.96, 3 of 3: the lower end is 3 / (3 + z^2).
    found = share_of(3, 3)
    assert found.share == found.high == 1
    assert found.low == pytest.approx(3 / (3 + 1.959964**2), abs=1e-6)
    assert math.isnan(share_of(0, 0).share)
    with pytest.raises(ValueError, match="`n_true` must be between 0 and 2"):
        share_of(3, 2)
