"""UPGrad against answers worked out by hand, and against trying every set of tasks."""

import numpy as np
import pytest

from steelyard.weighting.upgrad import UPGrad
from tests.weighting import active_sets
from tests.weighting.signals import signals_of, weigh


def test_the_hand_case() -> None:
    weights, is_stationary = weigh(UPGrad(), [-4, 1, 1], [6, 1, 1])
    np.testing.assert_allclose(weights, [1.111111, 0.789474], atol=1e-6)
    assert not is_stationary


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_the_step_is_linear_in_the_size_of_each_gradient(scale: float) -> None:
    # Half of each gradient's projection: 22/38 of the second is added to the first, 22/18 back.
    weights, _ = weigh(UPGrad(), [-4 * scale, scale, scale], [6, 1, 1])
    expected = (1 + 22 / 18 / scale) / 2, (1 + 22 / 38 * scale) / 2
    np.testing.assert_allclose(weights, expected, rtol=1e-9)


def test_gradients_that_agree_are_averaged() -> None:
    weights, _ = weigh(UPGrad(), [3, 0], [1e-5, 1e-5], [0, 2])
    np.testing.assert_allclose(weights, 1 / 3, rtol=1e-9)


def test_loss_weights_are_shares() -> None:
    jacobian = np.array([[-4.0, 1, 1], [6, 1, 1]])
    signals = signals_of(jacobian, "float64", loss_weights=np.array([3.0, 1]))
    expected = 0.75 + 0.25 * 22 / 18, 0.25 + 0.75 * 22 / 38
    np.testing.assert_allclose(UPGrad().weigh(signals, {}).weights, expected, rtol=1e-9)


def test_duplicate_gradients_share_what_they_answer_for() -> None:
    # The third gradient needs 1 of (1, 0) to be harmless; each of the first two is turned up.
    weights, _ = weigh(UPGrad(), [1, 0], [1, 0], [-1, 1])
    np.testing.assert_allclose(weights, [1 / 3 + 1 / 6, 1 / 3 + 1 / 6, 2 / 3], rtol=1e-6)


def test_one_gradient_weighs_one() -> None:
    weights, _ = weigh(UPGrad(), [3e-6, 4e-6])
    np.testing.assert_allclose(weights, [1], rtol=1e-9)


@pytest.mark.parametrize("gradient", [[0, 0, 0], [np.nan, 1, 1], [np.inf, 1, 1]])
def test_a_gradient_without_a_direction_is_out(gradient: list[float]) -> None:
    weights, is_stationary = weigh(UPGrad(), [-4, 1, 1], gradient, [6, 1, 1])
    np.testing.assert_allclose(weights, [1.111111, 0, 0.789474], atol=1e-6)
    assert not is_stationary


@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e6])
def test_opposite_gradients_are_flagged_and_cancel(scale: float) -> None:
    weights, is_stationary = weigh(UPGrad(), [2 * scale, 0], [-1, 0])
    assert is_stationary
    np.testing.assert_allclose(weights[1], 2 * scale * weights[0], rtol=1e-6)


def test_what_opposite_gradients_leave_is_followed() -> None:
    weights, is_stationary = weigh(UPGrad(), [2, 0], [-1, 0], [0, 3])
    assert not is_stationary
    np.testing.assert_allclose(weights @ [[2, 0], [-1, 0], [0, 3]], [0, 1], atol=1e-6)


def test_a_task_of_loss_weight_zero_is_out() -> None:
    jacobian = np.array([[-4.0, 1, 1], [0, -1, 0], [6, 1, 1]])
    signals = signals_of(jacobian, "float64", loss_weights=np.array([2.0, 0, 2]))
    weights = UPGrad().weigh(signals, {}).weights
    np.testing.assert_allclose(weights, [1.111111, 0, 0.789474], atol=1e-6)


def expected(rows: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    turned = np.array([active_sets.projected(rows, row) for row in rows])
    return lengths @ turned / len(rows)


@pytest.mark.parametrize("n_tasks", range(1, active_sets.MOST_TASKS + 1))
def test_it_is_what_trying_every_set_of_tasks_finds(n_tasks: int) -> None:
    assert active_sets.worst_miss(UPGrad(), n_tasks, expected) <= 1


def test_sixteen_tasks_are_all_served() -> None:
    rng = np.random.default_rng(0)
    for _ in range(10):
        jacobian = rng.normal(size=(16, 20)) * 10 ** rng.uniform(-6, 6, (16, 1))
        weights = active_sets.asked(UPGrad(), jacobian).weights
        update = weights @ jacobian
        lengths = np.linalg.norm(jacobian, axis=1)
        assert weights.min() >= 1 / 16 - 1e-12
        assert np.min(jacobian @ update / lengths) >= -1e-9 * np.linalg.norm(update)
