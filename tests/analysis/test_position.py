"""Where a setting lies by a frontier: numbers by hand, and how often chance is taken for more."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from steelyard.analysis.front import distance_to_front
from steelyard.analysis.position import position

T_2_BY_2, T_2_BY_1 = 6.205347, 4.302653  # Student's t, two seeds' freedom, 0.05 over 2 and 1 tests


def test_the_ends_are_those_of_the_differences_to_the_point_that_decides() -> None:
    ours = np.array([[1.0, 2.0], [1.1, 2.0], [1.2, 2.0]])
    near, far = np.array([[1.5, 2.01]] * 3), np.array([[3.0, 3.0]] * 3)
    found = position(ours, [near, far])  # -0.4 and -0.01 by the near one
    assert found is not None
    assert found.mean == pytest.approx(-0.4)
    half = 0.1 / np.sqrt(3)
    assert found.high == pytest.approx(-0.4 + T_2_BY_2 * half)
    assert found.low == pytest.approx(-0.4 - T_2_BY_2 * half)  # two points, as many tests
    assert found.n == 3
    (alone,) = [position(ours, [near])]
    assert alone is not None
    assert alone.low == pytest.approx(-0.4 - T_2_BY_1 * half)


def test_one_seed_gives_no_ends_and_no_verdict() -> None:
    found = position(np.array([[1.0, 1.0]]), [np.array([[2.0, 2.0]])])
    assert found is not None
    assert found.mean == -1
    assert np.isnan([found.low, found.high]).all()
    assert not found.is_beyond
    assert not found.is_behind


def test_only_seeds_in_common_count_and_points_with_too_few_are_left_out() -> None:
    ours = np.array([[1.0, 1.0], [1.0, 1.0], [np.nan, 1.0]])
    far, near = np.full((3, 2), 2.0), np.full((3, 2), 0.5)
    near[0] = np.nan
    found = position(ours, [far, near])  # the near one has a single seed in common
    assert found is not None
    assert (found.mean, found.n) == (-1, 2)
    assert position(ours, [np.full((3, 2), np.nan)]) is None
    assert position(ours, []) is None


@given(
    arrays("float64", (4, 3), elements=st.floats(0, 9)),
    arrays("float64", (2, 4, 3), elements=st.floats(0, 9)),
)
def test_the_distance_is_that_of_the_means_and_lies_within_its_ends(
    ours: np.ndarray, others: np.ndarray
) -> None:
    found = position(ours, list(others))
    assert found is not None
    wanted = distance_to_front(ours.mean(axis=0), others.mean(axis=1))
    assert found.mean == pytest.approx(wanted, abs=1e-9)
    assert found.low <= found.mean <= found.high


@pytest.mark.parametrize("n_heads", [2, 3, 10])
@pytest.mark.parametrize("n_seeds", [3, 5, 10])
def test_what_is_on_the_frontier_is_seldom_called_beyond_or_behind(
    n_heads: int, n_seeds: int
) -> None:
    """A setting that differs from a point of the frontier by noise alone: 2.5 % on either side."""
    generator = np.random.default_rng(0)
    steps = np.linspace(0, 0.3, 5)
    truth = np.stack([1 + (steps if k % 2 else steps[::-1]) for k in range(n_heads)], axis=1)
    verdicts = []
    for _ in range(400):
        runs = truth[:, None] + 0.02 * generator.standard_normal((5, n_seeds, n_heads))
        ours = truth[2] + 0.02 * generator.standard_normal((n_seeds, n_heads))
        found = position(ours, list(runs))
        assert found is not None
        verdicts.append((found.is_beyond, found.is_behind))
    assert (np.mean(verdicts, axis=0) <= 0.05).all()


def test_what_is_far_beyond_or_behind_is_called_so() -> None:
    generator = np.random.default_rng(0)
    noise = 0.01 * generator.standard_normal((3, 5, 2))
    front = [np.array([1.0, 2.0]) + noise[0], np.array([2.0, 1.0]) + noise[1]]
    ahead, after = (position(np.array(at) + noise[2], front) for at in ([1.2, 1.2], [2.5, 2.5]))
    assert ahead is not None
    assert ahead.is_beyond
    assert after is not None
    assert after.is_behind
