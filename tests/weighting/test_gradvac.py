"""GradVac against numbers worked by hand, against the vectors themselves, and PCGrad."""

from collections.abc import Sequence

import numpy as np
import pytest
import tensorflow as tf

from steelyard.arrays import Named
from steelyard.weighting.gradvac import NEAREST, GradVac
from steelyard.weighting.pcgrad import PCGrad
from tests.weighting.signals import signals_of

RIGHT = np.array([[1.0, 0], [0, 1]])


def told(*targets: Sequence[float]) -> Named:
    """Returns a memory of given targets [K, K]."""
    return {"targets": np.array(targets)}


def asked(
    method: GradVac, jacobian: np.ndarray, memory: Named, **changes: object
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the weights of a step and the targets after it."""
    draws = np.random.default_rng(0).uniform(size=(len(jacobian),) * 2)
    signals = signals_of(jacobian, "float64", **{"draws": draws, **changes})
    answer = method.weigh(signals, memory)
    return np.asarray(answer.weights), np.asarray(answer.memory["targets"])


def turned(
    jacobian: np.ndarray, draws: np.ndarray, targets: np.ndarray, beta: float
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the sum of the turned gradients [P] and the targets after, by the vectors."""
    rows, after = jacobian.copy(), targets.copy()
    for i in range(len(rows)):
        for j in np.argsort(draws[i]):
            if j == i:
                continue
            mine, other = np.linalg.norm(rows[i]), np.linalg.norm(jacobian[j])
            found, wanted = (
                rows[i] @ jacobian[j] / mine / other,
                np.clip(targets[i, j], -0.99, 0.99),
            )
            if found < wanted:
                part = wanted * np.sqrt(1 - found**2) - found * np.sqrt(1 - wanted**2)
                rows[i] += mine * part / other / np.sqrt(1 - wanted**2) * jacobian[j]
                reached = rows[i] @ jacobian[j] / np.linalg.norm(rows[i]) / other
                np.testing.assert_allclose(reached, wanted, atol=1e-9)
            after[i, j] = (1 - beta) * targets[i, j] + beta * found
    return rows.sum(axis=0), after


def test_the_first_step_is_pcgrad() -> None:
    rng = np.random.default_rng(1)
    for n_tasks in (1, 2, 4, 8):
        jacobian = rng.normal(size=(n_tasks, 3)) * 10 ** rng.uniform(-6, 6, (n_tasks, 1))
        draws = rng.uniform(size=(n_tasks, n_tasks))
        method = GradVac()
        weights, _ = asked(method, jacobian, method.remember(n_tasks), draws=draws)
        expected = PCGrad().weigh(signals_of(jacobian, "float64", draws=draws), {}).weights
        np.testing.assert_allclose(weights, expected, rtol=1e-9)


def test_the_hand_case() -> None:
    # The cosine is -22 / sqrt(18 * 38); a hundredth of it is the target after the first step.
    method, jacobian = GradVac(), np.array([[-4.0, 1, 1], [6, 1, 1]])
    weights, targets = asked(method, jacobian, method.remember(2))
    np.testing.assert_allclose(weights, [20 / 9, 30 / 19], rtol=1e-12)
    cosine = -22 / np.sqrt(18 * 38)
    np.testing.assert_allclose(targets, np.array([[0, 1], [1, 0]]) * cosine / 100)


def test_gradients_at_right_angles_are_turned_to_their_target() -> None:
    # A cosine of 0.6 from (1, 0) takes 3/4 of (0, 1); of 0.8 it takes 4/3.
    weights, targets = asked(GradVac(beta=0.5), RIGHT, told([0, 0.6], [0.8, 0]))
    np.testing.assert_allclose(weights, [1 + 4 / 3, 1 + 3 / 4])
    np.testing.assert_allclose(targets, [[0, 0.3], [0.4, 0]])


def test_what_is_nearer_than_its_target_is_left_alone() -> None:
    weights, targets = asked(GradVac(beta=0.5), RIGHT, told([0, -0.6], [-0.8, 0]))
    np.testing.assert_allclose(weights, 1)
    np.testing.assert_allclose(targets, [[0, -0.3], [-0.4, 0]])


@pytest.mark.parametrize("n_tasks", [2, 3, 6])
def test_it_is_what_turning_the_vectors_gives(n_tasks: int) -> None:
    rng = np.random.default_rng(n_tasks)
    method, memory = GradVac(beta=0.3), told(*np.zeros((n_tasks, n_tasks)))
    centre = rng.normal(size=10)
    for _ in range(6):
        jacobian = rng.normal(size=(n_tasks, 10)) + centre  # of cosines around a half
        jacobian *= 10 ** rng.uniform(-2, 2, (n_tasks, 1))
        draws = rng.uniform(size=(n_tasks, n_tasks))
        weights, targets = asked(method, jacobian, memory, draws=draws)
        expected, after = turned(jacobian, draws, memory["targets"], 0.3)
        size = weights @ np.linalg.norm(jacobian, axis=1)
        np.testing.assert_allclose(weights @ jacobian, expected, rtol=0, atol=1e-10 * size)
        np.testing.assert_allclose(targets, after, atol=1e-10)
        memory = told(*targets)
    assert targets.max() > 0.2


def test_corrections_towards_parallel_are_bounded() -> None:
    # Targets of 1 come of duplicates; then a batch in which the tasks have nothing in common.
    weights, _ = asked(GradVac(), RIGHT, told([0, 1], [1, 0]))
    np.testing.assert_allclose(weights, 1 + NEAREST / np.sqrt(1 - NEAREST**2))


def test_a_gradient_that_has_become_zero_stays_so() -> None:
    # The first loses all to its opposite, whatever the target, and so has no angle to the third.
    jacobian = np.array([[2.0, 0], [-1, 0], [0, 1]])
    upwards = np.tile([0.1, 0.2, 0.3], (3, 1))
    before = told([0, 0.5, 0.6], [0.5, 0, 0.6], [0, 0, 0])
    weights, targets = asked(GradVac(beta=0.5), jacobian, before, draws=upwards)
    np.testing.assert_allclose(weights @ jacobian, [0, 1], atol=1e-6)
    np.testing.assert_allclose(targets, [[0, -0.25, 0.6], [-0.25, 0, 0.6], [0, 0, 0]], atol=1e-9)


@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e6])
def test_opposite_gradients_are_flagged_and_cancel(scale: float) -> None:
    signals = signals_of(np.array([[2 * scale, 0], [-1, 0]]), "float64", draws=np.eye(2))
    answer = GradVac().weigh(signals, told([0, 0.9], [-0.9, 0]))
    assert bool(answer.is_stationary)
    np.testing.assert_allclose(answer.weights, [1 + 0.5 / scale, 1 + 2 * scale], rtol=1e-6)


def test_duplicates_count_each() -> None:
    jacobian = np.array([[3.0, 4], [3, 4]])
    weights, targets = asked(GradVac(beta=0.5), jacobian, told([0, 0.5], [0.5, 0]))
    np.testing.assert_allclose(weights, 1)
    np.testing.assert_allclose(targets, [[0, 0.75], [0.75, 0]])


@pytest.mark.parametrize("gradient", [[0, 0], [np.nan, 1], [5, 5]])
def test_tasks_that_take_no_part_keep_their_targets_and_turn_no_other(
    gradient: list[float],
) -> None:
    jacobian = np.array([RIGHT[0], gradient, RIGHT[1]])
    before = told([0, 0.9, 0.6], [0.9, 0, 0.9], [0.8, 0.9, 0])
    counts = np.array([1.0, 0, 1]) if gradient == [5, 5] else np.ones(3)
    weights, targets = asked(GradVac(beta=0.5), jacobian, before, counts=counts)
    np.testing.assert_allclose(weights, [1 + 4 / 3, 0, 1 + 3 / 4])
    np.testing.assert_allclose(targets, [[0, 0.9, 0.3], [0.9, 0, 0.9], [0.4, 0.9, 0]])


def test_loss_weights_are_those_of_the_losses() -> None:
    rng = np.random.default_rng(4)
    jacobian, targets = rng.normal(size=(4, 3)), rng.uniform(-0.5, 0.8, (4, 4))
    factors = np.array([0.1, 1, 3, 20])
    weights, _ = asked(GradVac(), jacobian, told(*targets), loss_weights=factors)
    multiplied = jacobian * factors[:, None]
    expected, _ = asked(GradVac(), multiplied, told(*targets))
    np.testing.assert_allclose(weights @ jacobian, expected @ multiplied, rtol=1e-9)


def test_an_order_of_the_tasks_is_one_of_their_targets() -> None:
    rng = np.random.default_rng(5)
    jacobian, targets = rng.normal(size=(4, 3)), rng.uniform(-0.5, 0.8, (4, 4))
    draws, order = rng.uniform(size=(4, 4)), np.array([2, 0, 3, 1])
    weights, after = asked(GradVac(), jacobian, told(*targets), draws=draws)
    swapped = np.ix_(order, order)
    found = asked(GradVac(), jacobian[order], told(*targets[swapped]), draws=draws[swapped])
    np.testing.assert_allclose(found[0], weights[order], rtol=1e-9)
    np.testing.assert_allclose(found[1], after[swapped], rtol=1e-9)


def test_many_steps_in_a_graph_and_in_float32_stay_finite() -> None:
    rng = np.random.default_rng(6)
    signals = signals_of(np.eye(5), "float32")
    method = GradVac(beta=0.5)

    @tf.function(autograph=False)
    def rule(gramian: tf.Tensor, draws: tf.Tensor, memory: Named) -> tuple[tf.Tensor, Named]:
        answer = method.weigh(signals._replace(gramian=gramian, draws=draws), memory)
        return answer.weights, answer.memory

    memory = {name: tf.constant(each) for name, each in method.remember(5).items()}
    lengths = 10 ** rng.uniform(-6, 6, (5, 1))
    for step in range(60):
        rows = np.ones((5, 3)) if step % 3 else rng.normal(size=(5, 3))
        rows *= rng.choice([1, 1, -1, 0], (5, 1)) * lengths
        draws = rng.uniform(size=(5, 5)).astype("float32")
        weights, memory = rule(tf.constant(rows @ rows.T), tf.constant(draws), memory)
        assert weights.dtype == memory["targets"].dtype == tf.float32
        assert np.isfinite(weights).all()
        assert (np.abs(memory["targets"]) <= 1).all()


def test_refuses_a_rate_that_is_none() -> None:
    with pytest.raises(ValueError, match="`beta` must be between 0 and 1, got 2"):
        GradVac(beta=2)
