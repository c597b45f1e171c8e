"""GO4Align against numbers worked by hand, and its groups against all there are."""

import functools
import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from steelyard.weighting._groups import group_means
from steelyard.weighting.go4align import GO4Align
from tests.weighting.steps import weights_over


def test_as_many_groups_as_tasks_weigh_each_by_its_own() -> None:
    # exp(-eta L) halves q at L = 1 and divides it by eight at L = 3, so q = .8 and .2.
    weights = weights_over(GO4Align(n_groups=2, eta=math.log(2)), [1, 3], [1, 3])
    np.testing.assert_allclose(weights[0], [0.8 * 4, 0.2 * 4 / 3], rtol=1e-6)
    np.testing.assert_allclose(weights[1], [16 / 17 * 4, 1 / 17 * 4 / 3], rtol=1e-6)


def test_tasks_of_like_weight_share_the_mean() -> None:
    # The inverses 1, 1/2 and 1/10 make the groups {1} and {1/2, 1/10}; the sum is 13.
    weights = weights_over(GO4Align(eta=0), [1, 2, 10])
    np.testing.assert_allclose(weights, [np.array([1, 0.3, 0.3]) * 13 / 3], rtol=1e-6)


def test_one_group_weighs_all_alike() -> None:
    weights = weights_over(GO4Align(n_groups=1, eta=0), [1, 2, 10])
    np.testing.assert_allclose(weights, [[1.6 / 3 * 13 / 3] * 3], rtol=1e-6)


def test_one_task_weighs_its_loss_weight() -> None:
    np.testing.assert_allclose(weights_over(GO4Align(), [7], loss_weights=[3]), [[3]], rtol=1e-6)


def test_the_loss_weight_is_a_factor_and_zero_takes_a_task_out() -> None:
    weights = weights_over(GO4Align(eta=0), [10, 1, 7, 2], loss_weights=[3, 1, 0, 1])
    np.testing.assert_allclose(weights, [np.array([0.9, 1, 0, 0.3]) * 13 / 3], rtol=1e-6)


def test_a_task_without_labels_keeps_its_share() -> None:
    counts = [[1, 1], [0, 1], [1, 1]]
    method = GO4Align(eta=math.log(2))
    weights = weights_over(method, [1, 3], [0, 1], [1, 1], counts=counts)
    np.testing.assert_allclose(weights[1], [0, 1], rtol=1e-6)
    np.testing.assert_allclose(weights[2], np.array([8, 1]) / 9 * 2, rtol=1e-6)


def test_losses_of_zero_weigh_nothing() -> None:
    weights = weights_over(GO4Align(eta=0), [1, 0, 2], [0, 0, 0])
    np.testing.assert_allclose(weights, [[1.5, 0, 0.75], [0, 0, 0]], rtol=1e-6)


def test_losses_of_any_ratio_have_finite_weights() -> None:
    weights = weights_over(GO4Align(eta=0), [1e-6, 1e6, 2e6])
    np.testing.assert_allclose(weights, [[1e12, 0.75, 0.75]], rtol=1e-5)


@pytest.mark.parametrize("n_groups", [1, 2, 3])
@pytest.mark.parametrize("n_tasks", [1, 2, 6])
def test_the_groups_are_the_best_there_are(n_tasks: int, n_groups: int) -> None:
    found = compiled(n_groups)
    rng = np.random.default_rng(n_tasks)
    for _ in range(30):
        values = 10 ** rng.uniform(-6, 6, n_tasks)
        values[rng.integers(n_tasks)] = values[0]
        is_in = rng.random(n_tasks) < 0.8
        means = found(tf.constant(values), tf.constant(is_in)).numpy()
        np.testing.assert_array_equal(means[~is_in], 0)
        assert len(set(means[is_in])) <= n_groups
        expected = best_distance(values[is_in], n_groups)
        assert np.sum((means - values)[is_in] ** 2) == pytest.approx(expected, rel=1e-9)


@functools.cache
def compiled(n_groups: int) -> Callable[..., Any]:
    """Returns the grouping as the training step runs it: in a graph."""
    return tf.function(functools.partial(group_means, n_groups=n_groups), autograph=False)


def best_distance(values: np.ndarray, n_groups: int) -> float:
    """Returns the least squared distance to group means, over all ways to group."""
    distances = [0.0] if not len(values) else []
    for groups in itertools.product(range(n_groups), repeat=len(values)):
        chosen = [values[np.array(groups) == group] for group in set(groups)]
        distances.append(sum(float(np.sum((each - each.mean()) ** 2)) for each in chosen))
    return min(distances)


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"n_groups": 0}, "`n_groups` must be at least 1, got 0"),
        ({"eta": -1}, "`eta` must not be negative, got -1"),
    ],
)
def test_refuses_knobs_that_group_nothing(knobs: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        GO4Align(**knobs)
