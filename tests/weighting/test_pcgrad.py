"""PCGrad against answers worked out by hand, against the projections themselves, and UPGrad."""

import numpy as np
import pytest
import tensorflow as tf

from steelyard.weighting.pcgrad import PCGrad
from steelyard.weighting.upgrad import UPGrad
from tests.weighting.signals import signals_of, weigh

ROWS = np.array([[-4.0, 1, 1], [6, 1, 1]])
HAND = (20 / 9, 30 / 19)
UPWARDS = np.tile(np.linspace(0.1, 0.9, 3), (3, 1))  # tasks meet in their own order


def asked(
    jacobian: np.ndarray, draws: np.ndarray | None = None, **changes: object
) -> tuple[np.ndarray, bool]:
    """Returns the weights of a step and its flag of stationarity."""
    draws = np.random.default_rng(0).uniform(size=(len(jacobian),) * 2) if draws is None else draws
    answer = PCGrad().weigh(signals_of(jacobian, "float64", draws=draws, **changes), {})
    return np.asarray(answer.weights), bool(answer.is_stationary)


def projected(jacobian: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """Returns the sum of the projected gradients [P], by the vectors themselves."""
    total = np.zeros(jacobian.shape[1])
    for i, gradient in enumerate(jacobian):
        turned = gradient.copy()
        for j in np.argsort(draws[i]):
            if j != i and turned @ jacobian[j] < 0:
                turned -= turned @ jacobian[j] / (jacobian[j] @ jacobian[j]) * jacobian[j]
        total += turned
    return total


def test_the_hand_case() -> None:
    weights, is_stationary = asked(ROWS)
    np.testing.assert_allclose(weights, HAND, rtol=1e-12)
    assert not is_stationary


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_the_step_is_linear_in_the_size_of_each_gradient(scale: float) -> None:
    # 22/38 of the second is added to the first, and 22/18 of the first to the second.
    weights, _ = asked(ROWS * [[scale], [1]])
    np.testing.assert_allclose(weights, [1 + 22 / 18 / scale, 1 + 22 / 38 * scale], rtol=1e-9)


def test_of_two_gradients_it_is_twice_upgrad() -> None:
    rng = np.random.default_rng(1)
    for _ in range(10):
        jacobian = rng.normal(size=(2, 3)) * 10 ** rng.uniform(-3, 3, (2, 1))
        weights, flag = asked(jacobian)
        expected, expected_flag = weigh(UPGrad(), *jacobian.tolist())
        np.testing.assert_allclose(weights, 2 * expected, rtol=1e-6)
        assert flag == expected_flag


def test_the_order_in_which_tasks_meet_matters() -> None:
    # Upwards, the first meets (-1, 1) and then, turned to (1/2, 1/2), conflicts with (0, -1);
    # downwards it meets (0, -1) before it does. For the third it is the other way about.
    jacobian = np.array([[1.0, 0], [-1, 1], [0, -1]])
    np.testing.assert_allclose(asked(jacobian, UPWARDS)[0], [2, 2, 2.5])
    np.testing.assert_allclose(asked(jacobian, 1 - UPWARDS)[0], [2.5, 2, 2])


def test_each_task_has_an_order_of_its_own() -> None:
    jacobian = np.array([[1.0, 0], [-1, 1], [0, -1]])
    draws = np.stack([UPWARDS[0], UPWARDS[0], 1 - UPWARDS[0]])
    np.testing.assert_allclose(asked(jacobian, draws)[0], [2.5, 2, 2.5])


@pytest.mark.parametrize("n_tasks", [1, 2, 3, 5, 8, 16])
def test_it_is_what_the_projections_of_the_vectors_give(n_tasks: int) -> None:
    rng = np.random.default_rng(n_tasks)
    for n_parameters in (2, 4, 20):
        jacobian = rng.normal(size=(n_tasks, n_parameters)) * 10 ** rng.uniform(-3, 3, (n_tasks, 1))
        draws = rng.uniform(size=(n_tasks, n_tasks))
        weights, _ = asked(jacobian, draws)
        size = weights @ np.linalg.norm(jacobian, axis=1)
        update = weights @ jacobian
        np.testing.assert_allclose(update, projected(jacobian, draws), rtol=0, atol=1e-12 * size)
        assert (weights >= 1 - 1e-12).all()


def test_gradients_that_agree_are_summed() -> None:
    weights, _ = asked(np.array([[3.0, 0], [1e-5, 1e-5], [0, 2]]))
    np.testing.assert_allclose(weights, 1)


def test_duplicates_are_each_turned_and_each_met() -> None:
    # The third loses all of its (-1, 0) to whichever of the two it meets first.
    weights, _ = asked(np.array([[1.0, 0], [1, 0], [-1, 1]]), UPWARDS)
    np.testing.assert_allclose(weights, [2, 1, 2])


def test_loss_weights_are_those_of_the_losses() -> None:
    rng = np.random.default_rng(2)
    jacobian, draws = rng.normal(size=(5, 3)), rng.uniform(size=(5, 5))
    factors = np.array([0.1, 1, 3, 1e-3, 20])
    weights, _ = asked(jacobian, draws, loss_weights=factors)
    expected = projected(jacobian * factors[:, None], draws)
    np.testing.assert_allclose(weights @ jacobian, expected, rtol=1e-10)
    np.testing.assert_allclose(asked(np.array([[3.0, 4]]), loss_weights=np.array([7.0]))[0], [7])


@pytest.mark.parametrize("gradient", [[0, 0, 0], [np.nan, 1, 1], [np.inf, 1, 1]])
def test_a_gradient_without_a_direction_is_out(gradient: list[float]) -> None:
    weights, _ = asked(np.array([ROWS[0], gradient, ROWS[1]]))
    np.testing.assert_allclose(weights, [HAND[0], 0, HAND[1]], rtol=1e-12)


def test_tasks_that_are_not_active_turn_no_other() -> None:
    jacobian = np.array([ROWS[0], [0, -1, 0], ROWS[1], [4, -1, -1]])
    given = {"loss_weights": np.array([1.0, 0, 1, 1]), "counts": np.array([1.0, 1, 1, 0])}
    weights, _ = asked(jacobian, None, **given)
    np.testing.assert_allclose(weights, [HAND[0], 0, HAND[1], 0], rtol=1e-12)


@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e6])
def test_opposite_gradients_are_flagged_and_cancel(scale: float) -> None:
    weights, is_stationary = asked(np.array([[2 * scale, 0], [-1, 0]]))
    assert is_stationary
    np.testing.assert_allclose(weights, [1 + 0.5 / scale, 1 + 2 * scale], rtol=1e-9)


def test_nothing_but_zero_gradients_weigh_nothing() -> None:
    np.testing.assert_array_equal(asked(np.zeros((3, 2)))[0], 0)


def test_a_graph_gives_the_same() -> None:
    rng = np.random.default_rng(3)
    jacobian, draws = rng.normal(size=(4, 3)), rng.uniform(size=(4, 4))
    signals = signals_of(jacobian, draws=draws)

    @tf.function(autograph=False)
    def rule(gramian: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        return PCGrad().weigh(signals._replace(gramian=gramian, draws=draws), {}).weights

    weights = rule(tf.constant(signals.gramian), tf.constant(signals.draws))
    assert weights.dtype == tf.float32
    np.testing.assert_allclose(weights, asked(jacobian, draws)[0], rtol=1e-6)
