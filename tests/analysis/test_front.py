"""Volumes and distances of sets of points: by hand, by brute force, and by another library."""

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steelyard.analysis.front import (
    distance_to_front,
    epsilon_indicator,
    hypervolume,
    igd,
    igd_plus,
    non_dominated_share,
    normalised,
    sampled_hypervolume,
)

STAIRS = [[1.0, 3.0], [2.0, 2.0], [3.0, 1.0]]


def points_of(seed: int, *shape: int) -> np.ndarray:
    """Returns points on a coarse grid, so that many tie."""
    return np.random.default_rng(seed).integers(0, 6, shape).astype("float64")


def by_inclusion_and_exclusion(points: np.ndarray, reference: float) -> float:
    """Returns the volume of a union of boxes from the volumes of all their intersections."""
    total = 0.0
    for size in range(1, len(points) + 1):
        for chosen in itertools.combinations(points, size):
            corner = np.max(chosen, axis=0)
            total -= (-1) ** size * float(np.prod(np.maximum(reference - corner, 0)))
    return total


def by_counting(points: np.ndarray, reference: int) -> int:
    """Returns how many unit cubes below the reference some point reaches."""
    cubes = itertools.product(range(reference), repeat=points.shape[1])
    return sum(bool((points <= np.array(cube)).all(axis=1).any()) for cube in cubes)


def test_a_staircase_has_the_area_of_its_steps() -> None:
    # Below (4, 4): strips from 1, 2 and 3, of heights 1, 2 and 3.
    assert hypervolume(STAIRS, 4) == 6
    assert hypervolume(STAIRS, [4, 4]) == 6
    assert hypervolume([*STAIRS, [2.0, 2.0], [2.5, 2.5], [9.0, 0.0]], 4) == 6


def test_one_head_has_a_length_and_one_point_a_box() -> None:
    assert hypervolume([[1.0], [3.0]], 4) == 3
    assert hypervolume([[1.0, 2.0, 3.0]], [2.0, 4.0, 6.0]) == 6


def test_what_reaches_no_place_below_the_reference_has_no_volume() -> None:
    assert hypervolume([[4.0, 0.0], [5.0, 5.0]], 4) == 0
    assert hypervolume(np.empty((0, 3)), 4) == 0
    assert sampled_hypervolume([[4.0, 0.0]], 4, seed=0).mean == 0


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 8), st.integers(1, 4))
def test_volumes_are_those_of_counting_and_of_all_intersections(
    seed: int, n_points: int, n_heads: int
) -> None:
    points = points_of(seed, n_points, n_heads)
    found = hypervolume(points, 5)
    assert found == by_counting(points, 5)
    assert found == pytest.approx(by_inclusion_and_exclusion(points, 5))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 9), st.integers(2, 7))
def test_volumes_do_not_depend_on_the_order_of_points_or_heads(
    seed: int, n_points: int, n_heads: int
) -> None:
    generator = np.random.default_rng(seed)
    points = generator.random((n_points, n_heads))
    found = hypervolume(points, 1.1)
    assert hypervolume(generator.permutation(points), 1.1) == pytest.approx(found)
    assert hypervolume(points[:, ::-1], 1.1) == pytest.approx(found)
    assert found == pytest.approx(by_inclusion_and_exclusion(points, 1.1))
    more = hypervolume(np.concatenate([points, generator.random((1, n_heads))]), 1.1)
    assert more >= found - 1e-12


@pytest.mark.parametrize("shape", [(60, 2), (40, 3), (20, 4), (15, 6)])
def test_volumes_are_those_of_another_library(shape: tuple[int, int]) -> None:
    moocore: Any = pytest.importorskip("moocore")
    points = np.random.default_rng(1).random(shape)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    theirs = moocore.hypervolume(points, ref=np.full(shape[1], 1.1))
    assert hypervolume(points, 1.1) == pytest.approx(theirs, rel=1e-9)
    other = np.random.default_rng(2).random(shape)
    assert igd(points, other) == pytest.approx(moocore.igd(points, ref=other))
    assert igd_plus(points, other) == pytest.approx(moocore.igd_plus(points, ref=other))
    epsilon = moocore.epsilon_additive(points, ref=other)
    assert epsilon_indicator(points, other) == pytest.approx(epsilon)


@pytest.mark.parametrize(("n_points", "n_heads"), [(10, 2), (10, 5), (9, 40)])
def test_sampled_volumes_are_near_the_exact_ones(n_points: int, n_heads: int) -> None:
    points = np.random.default_rng(n_heads).random((n_points, n_heads))
    exact = hypervolume(points, 1.1)
    found = [sampled_hypervolume(points, 1.1, seed, n_samples=4000) for seed in range(20)]
    assert np.mean([each.mean for each in found]) == pytest.approx(exact, rel=0.02)
    n_hit = sum(each.low <= exact <= each.high for each in found)
    assert n_hit >= 16  # 19 of 20 are expected
    assert found[0] == sampled_hypervolume(points, 1.1, seed=0, n_samples=4000)


def test_the_scale_runs_from_the_ideal_to_the_nadir() -> None:
    found = normalised([[1.0, 10.0], [2.0, 30.0], [0.5, 20.0]], [1.0, 10.0], [2.0, 30.0])
    assert found.tolist() == [[0, 0], [1, 1], [-0.5, 0.5]]
    with pytest.raises(ValueError, match="`nadir` must be above `ideal`"):
        normalised([[1.0, 1.0]], [0.0, 1.0], [1.0, 1.0])


def test_a_point_behind_the_front_counts_in_igd_plus_only_by_what_it_is_worse() -> None:
    # From (0, 4): to (3, 0) is 5 away, but worse only by 3. From (3, 0): it is there.
    assert igd([[3.0, 0.0]], [[0.0, 4.0], [3.0, 0.0]]) == 2.5
    assert igd_plus([[3.0, 0.0]], [[0.0, 4.0], [3.0, 0.0]]) == 1.5
    assert igd_plus([[-1.0, -1.0]], STAIRS) == 0
    assert igd(STAIRS, STAIRS) == 0


def test_epsilon_is_the_shift_that_dominates_all_of_the_front() -> None:
    assert epsilon_indicator([[3.0, 3.0]], STAIRS) == 2
    assert epsilon_indicator([[2.0, 2.0]], STAIRS) == 1
    assert epsilon_indicator(np.array(STAIRS) - 0.5, STAIRS) == -0.5


@pytest.mark.parametrize(
    ("point", "distance"),
    [
        ([2.0, 2.0], 0.0),  # on it
        ([3.0, 3.0], 1.0),  # (2, 2) is better by 1 on both
        ([2.5, 3.5], 0.5),  # by (2, 2): 0.5 and 1.5; by (1, 3): 1.5 and 0.5
        ([1.5, 1.5], -0.5),  # (2, 2) reaches it once it is worse by 0.5
        ([0.0, 0.0], -2.0),
        ([1.5, 2.5], -0.5),  # in the gap between (1, 3) and (2, 2)
        ([5.0, 1.0], 0.0),  # no better than (3, 1) on the second head
    ],
)
def test_the_distance_is_behind_above_zero_and_beyond_below(
    point: list[float], distance: float
) -> None:
    assert distance_to_front(point, STAIRS) == distance


@settings(deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4))
def test_a_point_moved_by_its_distance_is_just_reached_by_the_front(seed: int, k: int) -> None:
    point, front = points_of(seed, k), points_of(seed + 1, 5, k)
    moved = point - distance_to_front(point, front)
    assert (front <= moved).all(axis=1).any()
    assert not (front <= moved - 1e-6).all(axis=1).any()


def test_the_share_counts_points_that_nothing_on_the_front_dominates() -> None:
    points = [[2.0, 2.0], [2.0, 2.1], [0.0, 9.0], [3.0, 3.0]]
    assert non_dominated_share(points, STAIRS) == 0.5  # an equal point dominates nothing


def test_what_is_no_set_of_points_is_refused() -> None:
    with pytest.raises(ValueError, match="`points` must be finite"):
        hypervolume([[math.nan, 1.0]], 1)
    with pytest.raises(ValueError, match="`points` must be finite"):
        igd([1.0, 2.0], STAIRS)
    with pytest.raises(ValueError, match="`reference` must be finite"):
        hypervolume(STAIRS, [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match=r"of as many heads, got shapes \(3, 2\) and \(1, 1\)"):
        igd(STAIRS, [[1.0]])
    with pytest.raises(ValueError, match="of as many heads"):
        distance_to_front([1.0, 1.0], np.empty((0, 2)))
