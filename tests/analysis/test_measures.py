"""Changes, ranks, the worst head and unevenness against numbers worked by hand."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steelyard.analysis.measures import (
    delta_log_lower_better,
    delta_m_pct_lower_better,
    gini,
    mean_ranks,
)

NAN = math.nan


def test_an_error_that_grows_and_an_accuracy_that_falls_both_count_as_worse() -> None:
    # 2 -> 3 is +50 %, 0.8 -> 0.6 is -25 % of what more is better of: (50 + 25) / 2.
    found = delta_m_pct_lower_better([3.0, 0.6], [2.0, 0.8], [False, True])
    assert found == pytest.approx(37.5)
    assert delta_m_pct_lower_better([1.0, 0.8], [2.0, 0.8], [False, True]) == pytest.approx(-25)


def test_a_head_with_many_metrics_counts_once() -> None:
    # The first head is worse by 10 % and better by 30 %, so by -10 %; the second worse by 20 %.
    values, references = [[1.1, 1.3], 1.2], [[1.0, 1.0], 1.0]
    found = delta_m_pct_lower_better(values, references, [[False, True], False])
    assert found == pytest.approx(5.0)  # and not (10 - 30 + 20) / 3


def test_to_halve_one_head_and_double_another_is_no_change_of_the_logarithm() -> None:
    halved, doubled = [0.5, 2.0], [1.0, 1.0]
    assert delta_log_lower_better(halved, doubled, [False, False]) == pytest.approx(0)
    assert delta_m_pct_lower_better(halved, doubled, [False, False]) == pytest.approx(25)
    assert delta_log_lower_better([math.e, math.e], [1, 1], [False, True]) == pytest.approx(0)
    assert delta_log_lower_better([math.e], [1], [True]) == pytest.approx(-1)


def test_a_value_that_is_not_known_makes_the_change_unknown() -> None:
    assert math.isnan(delta_m_pct_lower_better([NAN, 1.0], [1.0, 1.0], [False, False]))
    assert math.isnan(delta_log_lower_better([[NAN, 1.0]], [[1.0, 1.0]], [[False, False]]))


@pytest.mark.parametrize("reference", [0.0, -0.2, NAN, math.inf])
def test_a_reference_that_is_not_above_zero_is_refused(reference: float) -> None:
    with pytest.raises(ValueError, match="`references` must be finite and above 0"):
        delta_m_pct_lower_better([1.0], [reference], [False])
    with pytest.raises(ValueError, match="`references` must be finite and above 0"):
        delta_log_lower_better([1.0], [reference], [False])


def test_shapes_that_differ_are_refused() -> None:
    with pytest.raises(ValueError, match=r"an entry for each head, got 2, 1 and 1\.$"):
        delta_m_pct_lower_better([1.0, 2.0], [1.0], [False])
    with pytest.raises(ValueError, match="a number for each metric"):
        delta_m_pct_lower_better([[1.0, 2.0]], [[1.0]], [[False, False]])
    with pytest.raises(ValueError, match="got 0, 0 and 0"):
        delta_m_pct_lower_better([], [], [])
    with pytest.raises(ValueError, match=r"`values` must be above 0, got 0\.0"):
        delta_log_lower_better([0.0], [1.0], [False])


def test_ranks_are_taken_seed_by_seed_and_ties_share_theirs() -> None:
    # Three methods, two seeds, an error and an accuracy.
    values = [
        [[1.0, 0.9], [3.0, 0.5]],  # ranks 1, 1 and 3, 2
        [[2.0, 0.8], [1.0, 0.5]],  # ranks 2.5, 2 and 1, 2
        [[2.0, 0.7], [2.0, 0.5]],  # ranks 2.5, 3 and 2, 2
    ]
    found = mean_ranks(values, [False, True])
    assert found.tolist() == [[1, 2.5], [2.25, 1.5], [2.75, 2]]


def test_a_run_that_did_not_finish_ranks_last_and_two_of_them_tie() -> None:
    values = [[[NAN]], [[1.0]], [[NAN]], [[9.0]]]
    assert mean_ranks(values, [False])[:, 0].tolist() == [3.5, 1, 3.5, 2]
    assert mean_ranks(values, [True])[:, 0].tolist() == [3.5, 2, 3.5, 1]


def test_ranks_refuse_shapes_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match=r"got shapes \(1, 1, 2\) and \(1,\)"):
        mean_ranks([[[1.0, 2.0]]], [False])


@settings(deadline=None)
@given(st.integers(0, 1000))
def test_ranks_always_sum_to_the_same(seed: int) -> None:
    values = np.random.default_rng(seed).integers(0, 3, (5, 4, 3)).astype("float64")
    values[values == 2] = NAN
    assert mean_ranks(values, [False, True, False]).sum(axis=0) == pytest.approx([15] * 4)


def test_unevenness_runs_from_none_to_one_head_having_all() -> None:
    assert gini([1, 1, 1]) == 0
    assert gini([0, 0, 0, 2]) == pytest.approx(3 / 4)
    assert gini([3, 1]) == pytest.approx(1 / 4)  # (2 + 2) / (2 * 2 * 4)
    assert gini([7]) == 0
    assert math.isnan(gini([1, NAN]))
    for wrong in ([0, 0], [-1, 2], [math.inf, 1], []):
        with pytest.raises(ValueError, match="`shares` must be 0 or more"):
            gini(wrong)


@settings(deadline=None)
@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=8), st.floats(0.01, 100))
def test_unevenness_is_that_of_all_pairs_whatever_the_unit(
    shares: list[float], unit: float
) -> None:
    by_pairs = sum(abs(a - b) for a in shares for b in shares) / (2 * len(shares) * sum(shares))
    assert gini(shares) == pytest.approx(by_pairs, abs=1e-12)
    assert gini([unit * share for share in shares]) == pytest.approx(by_pairs, abs=1e-9)
