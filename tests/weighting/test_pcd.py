"""PCD against its own numbers, every active set, and the ends of its program."""

import itertools

import numpy as np
import pytest

from steelyard.weighting.pcd import PCD
from tests.weighting.jacobians import drawn, weighed
from tests.weighting.signals import signals_of, weigh

ROWS = np.array([[-4.0, 1, 1], [6, 1, 1]])


def bent(rows: np.ndarray, tau: float) -> np.ndarray:
    """Returns the direction that keeps to the first of some unit rows, by trying every set."""
    others = rows[1:]
    found = []
    for n in range(len(others) + 1):
        for chosen in itertools.combinations(range(len(others)), n):
            active = others[list(chosen)]
            missing = tau - active @ rows[0]
            multipliers = np.linalg.solve(active @ active.T, missing)
            direction = rows[0] + multipliers @ active
            if (multipliers >= -1e-12).all() and (others @ direction >= tau - 1e-9).all():
                found.append(direction)
    best = min(found, key=lambda each: float(np.linalg.norm(each - rows[0])))
    return np.asarray(best / np.linalg.norm(best))


@pytest.mark.parametrize("factor", [1.0, 100.0, 1e-6, 1e6])
def test_its_own_numbers(factor: float) -> None:
    rows = ROWS * [[factor], [1]]
    weights, is_stationary = weigh(PCD(), *rows.tolist())
    update = weights @ rows / factor
    np.testing.assert_allclose(update, [-0.8200, 2.9434, 2.9434], atol=5e-5)
    cosines = ROWS @ update / np.linalg.norm(ROWS, axis=1) / np.linalg.norm(update)
    np.testing.assert_allclose(cosines, [0.5093, 0.0370], atol=5e-5)
    assert np.linalg.norm(update) == pytest.approx(np.sqrt(18))
    assert not is_stationary


def test_the_primary_task_may_be_any() -> None:
    weights, _ = weigh(PCD(primary=1), *ROWS[::-1].tolist())
    np.testing.assert_allclose(weights[::-1], weigh(PCD(), *ROWS.tolist())[0], rtol=1e-12)


def test_a_task_that_gains_enough_by_itself_weighs_nothing() -> None:
    np.testing.assert_allclose(weigh(PCD(), [1, 0], [1, 1])[0], [1, 0])
    np.testing.assert_allclose(weigh(PCD(), [3, 4])[0], [1])


@pytest.mark.parametrize("tau", [0.0, 0.02, 0.5])
@pytest.mark.parametrize("n_tasks", [2, 3, 4, 6])
def test_the_direction_is_the_best_of_every_active_set(n_tasks: int, tau: float) -> None:
    jacobians = drawn(n_tasks, 40)
    weights, flags = weighed(PCD(tau=tau), jacobians)
    updates = np.einsum("nk,nkp->np", weights, jacobians)
    lengths = np.linalg.norm(jacobians, axis=2)
    expected = [bent(rows, tau) for rows in jacobians / lengths[:, :, None]]
    np.testing.assert_allclose(updates / lengths[:, :1], expected, atol=1e-9)
    assert (weights >= 0).all()
    assert not flags.any()


def test_what_is_asked_follows_the_usual_length() -> None:
    # The second row of the task is half as long as usual, so half of tau is asked for it:
    # v = (4 / 2 + 1) / (1 / 2 + 1) = 2, h = 1 / sqrt(2).
    method = PCD(tau=0.5, beta=0.5)
    memory = method.remember(2)
    for length in (2.0, 1.0):
        signals = signals_of(np.array([[1.0, 0], [0, length]]), "float64")
        answer = method.weigh(signals, memory)
        memory = answer.memory
    update = np.asarray(answer.weights) @ [[1.0, 0], [0, 1]]
    np.testing.assert_allclose(update[1] / update[0], 0.5 / np.sqrt(2))
    np.testing.assert_allclose(memory["norms"], [1, np.sqrt(2)])


def test_where_the_others_cannot_be_served_the_primary_task_goes_alone() -> None:
    weights, is_stationary = weigh(PCD(), [1, 0], [0, 3], [0, -1])
    np.testing.assert_allclose(weights, [1, 0, 0])
    assert is_stationary


def test_duplicates_are_served_once() -> None:
    weights, is_stationary = weigh(PCD(), *ROWS.tolist(), ROWS[1].tolist())
    once, _ = weigh(PCD(), *ROWS.tolist())
    np.testing.assert_allclose(weights @ [*ROWS, ROWS[1]], once @ ROWS, rtol=1e-9)
    assert not is_stationary


def test_without_a_gradient_of_the_primary_task_there_is_no_step() -> None:
    np.testing.assert_allclose(weigh(PCD(), [0, 0], [0, 3], [0, -1])[0], 0)


def test_a_step_of_no_length_is_flagged() -> None:
    weights, is_stationary = weigh(PCD(tau=0.0), [1, 0], [-5, 0])
    np.testing.assert_allclose(weights, 0)
    assert is_stationary


def test_zero_rows_and_tasks_that_are_out_disturb_no_other_and_keep_their_mean() -> None:
    method = PCD()
    jacobian = np.array([ROWS[0], [0, 0, 0], ROWS[1], [5, -5, 5], [1, -2, 3]])
    signals = signals_of(
        jacobian,
        "float64",
        loss_weights=np.array([1.0, 1, 1, 0, 1]),
        counts=np.array([1.0, 1, 1, 1, 0]),
    )
    answer = method.weigh(signals, method.remember(5))
    alone, _ = weigh(method, *ROWS.tolist())
    np.testing.assert_allclose(answer.weights, [alone[0], 0, alone[1], 0, 0], rtol=1e-12)
    np.testing.assert_allclose(answer.memory["count"], [1, 0, 1, 0, 0])


def test_refuses_a_primary_task_that_is_not_there() -> None:
    with pytest.raises(ValueError, match="`primary` must be below 2, the number of tasks, got 2"):
        PCD(primary=2).check(2)
    with pytest.raises(ValueError, match="`primary` must not be negative, got -1"):
        PCD(primary=-1)


def test_refuses_what_no_task_can_gain_and_a_mean_that_never_moves() -> None:
    with pytest.raises(ValueError, match="`tau` must be between 0 and 1, got 2"):
        PCD(tau=2)
    with pytest.raises(ValueError, match="`beta` must be at least 0 and below 1, got 1"):
        PCD(beta=1)
