"""EDM against answers worked out by hand, and against trying every set of tasks."""

import numpy as np
import pytest

from steelyard.weighting.edm import EDM
from tests.weighting import active_sets
from tests.weighting.signals import signals_of, weigh


@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e6])
def test_two_gradients_weigh_one_over_their_length(scale: float) -> None:
    weights, is_stationary = weigh(EDM(), [-4, 1, 1], [6 * scale, scale, scale])
    inverse = np.array([1 / np.sqrt(18), 1 / np.sqrt(38) / scale])
    np.testing.assert_allclose(weights, inverse / inverse.sum(), rtol=1e-9)
    assert not is_stationary


def test_a_gradient_between_two_others_weighs_nothing() -> None:
    weights, _ = weigh(EDM(), [3, 0], [1, 1], [0, 1])
    np.testing.assert_allclose(weights, [0.25, 0, 0.75], atol=1e-9)


def test_duplicate_directions_share_the_pull() -> None:
    # Pulls of 1/4, 1/4 and 1/2, over lengths of 1, 2 and 1.
    weights, _ = weigh(EDM(), [1, 0], [2, 0], [0, 1])
    np.testing.assert_allclose(weights, np.array([2, 1, 4]) / 7, rtol=1e-6)


def test_one_gradient_weighs_one() -> None:
    weights, _ = weigh(EDM(), [3e-6, 4e-6])
    np.testing.assert_allclose(weights, [1], rtol=1e-9)


@pytest.mark.parametrize("gradient", [[0, 0], [np.nan, 1]])
def test_a_gradient_without_a_direction_is_out(gradient: list[float]) -> None:
    weights, is_stationary = weigh(EDM(), [3, 0], gradient, [0, 1])
    np.testing.assert_allclose(weights, [0.25, 0, 0.75], rtol=1e-9)
    assert not is_stationary


@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e6])
def test_opposite_gradients_are_flagged_and_cancel(scale: float) -> None:
    weights, is_stationary = weigh(EDM(), [2 * scale, 0], [-1, 0], [0, 1])
    assert is_stationary
    np.testing.assert_allclose(weights, np.array([1, 2 * scale, 0]) / (1 + 2 * scale), rtol=1e-6)


def test_a_task_of_loss_weight_zero_is_out() -> None:
    jacobian = np.array([[3.0, 0], [-1, -1], [0, 1]])
    signals = signals_of(jacobian, "float64", loss_weights=np.array([3.0, 0, 1]))
    np.testing.assert_allclose(EDM().weigh(signals, {}).weights, [0.25, 0, 0.75], atol=1e-9)


def expected(rows: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    return active_sets.shortest_in_hull(rows, np.ones(len(rows))) @ rows


@pytest.mark.parametrize("n_tasks", range(1, active_sets.MOST_TASKS + 1))
def test_its_direction_is_what_trying_every_set_of_tasks_finds(n_tasks: int) -> None:
    # Where directions repeat, many weights make this direction, and not all of one length.
    assert active_sets.worst_miss(EDM(), n_tasks, expected, is_direction=True) <= 1


def test_sixteen_tasks_all_gain_as_much_as_those_that_have_a_weight() -> None:
    rng = np.random.default_rng(0)
    for _ in range(10):
        jacobian = rng.normal(size=(16, 32)) * 10 ** rng.uniform(-6, 6, (16, 1))
        weights = active_sets.asked(EDM(), jacobian).weights
        assert weights.min() >= 0
        assert weights.sum() == pytest.approx(1)
        cosines = jacobian @ (weights @ jacobian) / np.linalg.norm(jacobian, axis=1)
        np.testing.assert_allclose(cosines[weights > 0], cosines.min(), rtol=1e-9)
