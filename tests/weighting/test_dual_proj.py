"""DualProj against answers worked out by hand, and against trying every set of tasks."""

import numpy as np
import pytest

from steelyard.weighting.dual_proj import DualProj
from tests.weighting import active_sets
from tests.weighting.signals import signals_of, weigh


def test_the_hand_case() -> None:
    weights, is_stationary = weigh(DualProj(), [-4, 1, 1], [6, 1, 1])
    np.testing.assert_allclose(weights, [11 / 18, 1 / 2], atol=1e-6)
    assert not is_stationary


@pytest.mark.parametrize("scale", [1e-6, 1e-3])
def test_a_small_gradient_is_lent_what_it_takes_to_lose_nothing(scale: float) -> None:
    weights, _ = weigh(DualProj(), [-4 * scale, scale, scale], [6, 1, 1])
    np.testing.assert_allclose(weights, [11 / 18 / scale, 1 / 2], rtol=1e-9)


def test_a_mean_gradient_without_objections_is_left_as_it_is() -> None:
    # The first two are at odds with each other, and not with the mean.
    weights, _ = weigh(DualProj(), [-1, 1], [2, 1], [0, 3])
    np.testing.assert_allclose(weights, 1 / 3, rtol=1e-9)


def test_loss_weights_are_shares() -> None:
    jacobian = np.array([[-4.0, 1, 1], [6, 1, 1]])
    signals = signals_of(jacobian, "float64", loss_weights=np.array([1.0, 3]))
    weights = DualProj().weigh(signals, {}).weights
    np.testing.assert_allclose(weights, [0.75 * 22 / 18, 0.75], rtol=1e-9)


def test_duplicate_gradients_share_what_they_answer_for() -> None:
    weights, _ = weigh(DualProj(), [1, 0], [1, 0], [-8, 1])
    np.testing.assert_allclose(weights, [4 / 3, 4 / 3, 1 / 3], rtol=1e-6)


def test_one_gradient_weighs_one() -> None:
    weights, _ = weigh(DualProj(), [3e-6, 4e-6])
    np.testing.assert_allclose(weights, [1], rtol=1e-9)


@pytest.mark.parametrize("gradient", [[0, 0, 0], [np.nan, 1, 1], [np.inf, 1, 1]])
def test_a_gradient_without_a_direction_is_out(gradient: list[float]) -> None:
    weights, is_stationary = weigh(DualProj(), [-4, 1, 1], gradient, [6, 1, 1])
    np.testing.assert_allclose(weights, [11 / 18, 0, 1 / 2], atol=1e-6)
    assert not is_stationary


@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e6])
def test_opposite_gradients_are_flagged_and_cancel(scale: float) -> None:
    weights, is_stationary = weigh(DualProj(), [2 * scale, 0], [-1, 0])
    assert is_stationary
    np.testing.assert_allclose(weights[1], 2 * scale * weights[0], rtol=1e-6)


def test_a_task_of_loss_weight_zero_is_out() -> None:
    jacobian = np.array([[-4.0, 1, 1], [0, -1, 0], [6, 1, 1]])
    signals = signals_of(jacobian, "float64", loss_weights=np.array([2.0, 0, 2]))
    weights = DualProj().weigh(signals, {}).weights
    np.testing.assert_allclose(weights, [11 / 18, 0, 1 / 2], atol=1e-6)


def expected(rows: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    longest = lengths.max()
    return longest * active_sets.projected(rows, lengths / longest @ rows / len(rows))


@pytest.mark.parametrize("n_tasks", range(1, active_sets.MOST_TASKS + 1))
def test_it_is_what_trying_every_set_of_tasks_finds(n_tasks: int) -> None:
    assert active_sets.worst_miss(DualProj(), n_tasks, expected) <= 1


def test_sixteen_tasks_all_lose_nothing() -> None:
    rng = np.random.default_rng(0)
    for _ in range(10):
        jacobian = rng.normal(size=(16, 20)) * 10 ** rng.uniform(-6, 6, (16, 1))
        weights = active_sets.asked(DualProj(), jacobian).weights
        update = weights @ jacobian
        lengths = np.linalg.norm(jacobian, axis=1)
        assert weights.min() >= 1 / 16 - 1e-12
        assert np.min(jacobian @ update / lengths) >= -1e-9 * np.linalg.norm(update)
