"""Points of loss weights are spread as they say, differ, and are the same every time."""

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steelyard.construct import Refused
from steelyard.sweep.points import Grid, Points, Random, Simplex
from steelyard.sweep.weights import written

HEADS = ("a", "b", "c", "d", "e")
ROUNDING = 0.006  # of a ratio of two weights in three digits


def ratios(weights: dict[str, float]) -> tuple[float, ...]:
    """Returns the logarithms of the weights' ratios to the first."""
    logs = [math.log10(weight) for weight in weights.values()]
    return tuple(each - logs[0] for each in logs[1:])


def test_two_heads_have_ratios_evenly_spaced_in_log() -> None:
    assert Simplex(n_points=5, decades=4.0).of(["a", "b"]) == [
        {"a": 0.01, "b": 1.0},
        {"a": 0.1, "b": 1.0},
        {"a": 1.0, "b": 1.0},
        {"a": 1.0, "b": 0.1},
        {"a": 1.0, "b": 0.01},
    ]


def test_two_heads_are_spaced_about_the_center() -> None:
    points = Simplex(n_points=3, decades=2.0, center={"a": 0.3, "b": 3}).of(["a", "b"])
    assert points == [{"a": 0.01, "b": 1.0}, {"a": 0.1, "b": 1.0}, {"a": 1.0, "b": 1.0}]


def test_one_point_is_the_center() -> None:
    assert Simplex(n_points=1).of(["a", "b"]) == [{"a": 1.0, "b": 1.0}]
    one = Simplex(n_points=1, center={"rule": "equal", "b": 4}).of(["a", "b", "c"])
    assert one == [{"a": 0.25, "b": 1.0, "c": 0.25}]


@pytest.mark.parametrize("kind", [Simplex, Random])
@given(
    n_heads=st.integers(2, 5),
    n_points=st.integers(1, 60),
    decades=st.floats(2, 12),
    weights=st.lists(st.floats(1e-3, 1e3), min_size=5, max_size=5),
)
@settings(max_examples=40, deadline=None)
def test_points_differ_and_lie_within_their_decades(
    kind: Any, n_heads: int, n_points: int, decades: float, weights: list[float]
) -> None:
    heads = HEADS[:n_heads]
    center = dict(zip(heads, weights, strict=False))
    points = kind(n_points=n_points, decades=decades, center=center).of(heads)
    assert len({tuple(each.values()) for each in points}) == len(points) == n_points
    for point in points:
        assert max(point.values()) == 1.0
        assert all(float(f"{weight:.3g}") == weight for weight in point.values())
        about = [math.log10(point[head] / center[head]) for head in heads]
        for one, other in itertools.combinations(about, 2):
            assert abs(one - other) <= decades / 2 + ROUNDING


@given(n_heads=st.integers(3, 5), n_points=st.integers(1, 40))
@settings(max_examples=30, deadline=None)
def test_the_center_comes_first_and_more_points_keep_the_fewer_s(
    n_heads: int, n_points: int
) -> None:
    heads = HEADS[:n_heads]
    points = Simplex(n_points=n_points).of(heads)
    assert set(points[0].values()) == {1.0}
    assert Simplex(n_points=n_points + 7).of(heads)[:n_points] == points
    few = Random(n_points=n_points).of(heads)
    assert Random(n_points=n_points + 7).of(heads)[:n_points] == few


def test_points_of_three_heads_leave_no_large_gap() -> None:
    """Every ratio within the decades has a point nearby: the area is 27 square decades."""
    points = np.array([ratios(each) for each in Simplex(n_points=64).of(HEADS[:3])])
    axis = np.linspace(-3, 3, 61)
    asked = [(x, y) for x in axis for y in axis if abs(x - y) <= 3]
    gaps = [min(np.abs(points - each).max(axis=1)) for each in asked]
    assert max(gaps) < 1.0
    largest = [max(each, key=lambda head: each[head]) for each in Simplex(n_points=64).of("abc")]
    assert all(18 <= largest.count(head) <= 26 for head in "abc")


def test_random_points_are_those_of_their_seed() -> None:
    assert Random(seed=3).of("abc") == Random(seed=3).of("abc")
    assert Random(seed=3).of("abc") != Random(seed=4).of("abc")


def test_a_grid_has_each_ratio_once() -> None:
    points = Grid(factors=[1, 10]).of(["a", "b"])
    assert points == [{"a": 1.0, "b": 1.0}, {"a": 0.1, "b": 1.0}, {"a": 1.0, "b": 0.1}]
    assert len(Grid(factors=[0.01, 0.1, 1]).of("abc")) == 27 - 8  # 8 are ten times another


def test_a_grid_by_head_leaves_the_others_as_they_are() -> None:
    points = Grid(factors={"b": [2, 4]}).of(["a", "b", "c"])
    assert points == [{"a": 0.5, "b": 1.0, "c": 0.5}, {"a": 0.25, "b": 1.0, "c": 0.25}]


@pytest.mark.parametrize("design", [Simplex(n_points=3), Grid(), Random(n_points=3)])
def test_equal_and_alone_are_added_once(design: Points) -> None:
    whole = type(design)(**{**vars(design), "equal": True, "alone": True})
    points, plain = whole.of("abc"), design.of("abc")
    equal = dict.fromkeys("abc", 1.0)
    assert points[0] == equal
    assert points[-3:] == [{head: float(head == one) for head in "abc"} for one in "abc"]
    assert points[1:-3] == [each for each in plain if each != equal]


def test_weights_are_written_as_people_write_them() -> None:
    assert written({"age": 0.003, "sex": 1.0}, is_rule=True) == "{age:0.003,sex:1}"
    assert written({"age": 1.0, "sex": 1.0}, is_rule=True) == "{rule:equal}"
    assert written({"age": 1.0, "sex": 1.0}, is_rule=False) == "{age:1,sex:1}"


@pytest.mark.parametrize(
    ("kind", "knobs", "words"),
    [
        (Simplex, {"n_points": 0}, "`hydra.sweeper.points.n_points` must be a whole number from 1"),
        (Simplex, {"n_points": 2.5}, "got 2.5"),
        (Simplex, {"n_points": True}, "got True"),
        (Simplex, {"decades": 0}, "`hydra.sweeper.points.decades` must be positive and finite"),
        (Simplex, {"decades": math.inf}, "got inf"),
        (Simplex, {"decades": 400}, "must be at most 60, got 400"),
        (Simplex, {"decades": 0.001}, "must leave room for 15 points"),
        (Simplex, {"center": "middle"}, "must be equal or a weight for each head, got 'middle'"),
        (Simplex, {"center": {"aa": 1}}, "must name the heads a, b, got 'aa' (did you mean 'a'?)"),
        (Simplex, {"center": {"a": 0}}, "`hydra.sweeper.points.center.a` must be positive"),
        (Simplex, {"center": {"rule": "inverse_start"}}, "got 'rule'"),
        (Simplex, {"alone": "yes"}, "`hydra.sweeper.points.alone` must be true or false"),
        (Random, {"seed": -1}, "`hydra.sweeper.points.seed` must be a whole number of at least 0"),
        (Random, {"n_points": "many"}, "got 'many'"),
        (Grid, {"factors": []}, "must be a list of factors, got []"),
        (Grid, {"factors": 3}, "must be a list of factors, got 3"),
        (Grid, {"factors": [1, -1]}, "must be positive and finite, got -1"),
        (Grid, {"factors": {"c": [1]}}, "must name the heads a, b, got 'c'"),
        (Grid, {"factors": list(range(1, 200))}, "at most 10000 combinations, got 39601"),
    ],
)
def test_knobs_out_of_range_are_refused(kind: Any, knobs: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match="must") as refused:
        kind(**knobs).of(["a", "b"])
    assert words in str(refused.value)


def test_one_head_has_nothing_to_weigh() -> None:
    with pytest.raises(Refused, match="two heads or more to weigh, got a"):
        Simplex().of(["a"])
