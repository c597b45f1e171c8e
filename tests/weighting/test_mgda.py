"""MGDA against answers worked out by hand, and against trying every set of tasks."""

import numpy as np
import pytest

from steelyard.weighting.mgda import MGDA
from tests.weighting import active_sets
from tests.weighting.signals import signals_of, weigh


def test_the_hand_case() -> None:
    weights, is_stationary = weigh(MGDA(), [-4, 1, 1], [6, 1, 1])
    np.testing.assert_allclose(weights, [0.6, 0.4], atol=1e-6)
    assert not is_stationary


def test_orthogonal_gradients_weigh_one_over_their_squares() -> None:
    weights, _ = weigh(MGDA(), [3, 0], [0, 1])
    np.testing.assert_allclose(weights, [0.1, 0.9], rtol=1e-9)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_the_shorter_of_two_far_apart_takes_nearly_all_the_weight(scale: float) -> None:
    # w_1 = g_2 . (g_2 - g_1) / ||g_2 - g_1||^2
    weights, _ = weigh(MGDA(), [-4 * scale, scale, scale], [6, 1, 1])
    square = (6 + 4 * scale) ** 2 + 2 * (1 - scale) ** 2
    expected = (38 + 22 * scale) / square, (18 * scale**2 + 22 * scale) / square
    np.testing.assert_allclose(weights, expected if min(expected) > 0 else 0, rtol=1e-6)


def test_a_short_gradient_along_a_long_one_takes_all_the_weight() -> None:
    weights, _ = weigh(MGDA(), [1, 0], [1000, 1000])
    np.testing.assert_allclose(weights, [1, 0], atol=1e-12)


def test_duplicate_gradients_share_the_weight() -> None:
    weights, _ = weigh(MGDA(), [3, 4], [3, 4])
    np.testing.assert_allclose(weights, 0.5, rtol=1e-6)


def test_one_gradient_weighs_one() -> None:
    weights, _ = weigh(MGDA(), [3e-6, 4e-6])
    np.testing.assert_allclose(weights, [1], rtol=1e-9)


@pytest.mark.parametrize("gradient", [[0, 0, 0], [np.nan, 1, 1], [np.inf, 1, 1]])
def test_a_gradient_without_a_direction_is_out(gradient: list[float]) -> None:
    weights, is_stationary = weigh(MGDA(), [-4, 1, 1], gradient, [6, 1, 1])
    np.testing.assert_allclose(weights, [0.6, 0, 0.4], atol=1e-6)
    assert not is_stationary


def test_nothing_but_zero_gradients_weigh_nothing() -> None:
    weights, _ = weigh(MGDA(), [0, 0], [0, 0])
    np.testing.assert_array_equal(weights, 0)


@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e6])
def test_opposite_gradients_are_flagged_and_cancel(scale: float) -> None:
    weights, is_stationary = weigh(MGDA(), [2 * scale, 0], [-1, 0], [0, 1])
    assert is_stationary
    np.testing.assert_allclose(weights, np.array([1, 2 * scale, 0]) / (1 + 2 * scale), rtol=1e-6)


def test_a_task_of_loss_weight_zero_is_out() -> None:
    jacobian = np.array([[-4.0, 1, 1], [0, -1, 0], [6, 1, 1]])
    signals = signals_of(jacobian, "float64", loss_weights=np.array([3.0, 0, 1]))
    np.testing.assert_allclose(MGDA().weigh(signals, {}).weights, [0.6, 0, 0.4], atol=1e-6)


def expected(rows: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    prices = lengths.min() / lengths
    pulls = active_sets.shortest_in_hull(rows, prices)
    return pulls * lengths.min() @ rows


@pytest.mark.parametrize("n_tasks", range(1, active_sets.MOST_TASKS + 1))
def test_it_is_what_trying_every_set_of_tasks_finds(n_tasks: int) -> None:
    assert active_sets.worst_miss(MGDA(), n_tasks, expected) <= 1


def test_sixteen_tasks_all_gain_as_much_as_the_shortest_vector_is_long() -> None:
    rng = np.random.default_rng(0)
    for _ in range(10):
        jacobian = rng.normal(size=(16, 32)) * 10 ** rng.uniform(-6, 6, (16, 1))
        weights = active_sets.asked(MGDA(), jacobian).weights
        assert weights.min() >= 0
        assert weights.sum() == pytest.approx(1)
        update = weights @ jacobian
        lengths, size = np.linalg.norm(jacobian, axis=1), np.linalg.norm(update)
        assert np.min((jacobian @ update - size**2) / lengths) >= -1e-9 * size
