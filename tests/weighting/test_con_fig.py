"""ConFIG against numbers worked by hand, and its equal cosines at every scale."""

import numpy as np
import pytest

from steelyard.weighting.con_fig import ConFIG
from tests.weighting.jacobians import MOST_TASKS, along, drawn, weighed
from tests.weighting.signals import signals_of, weigh

ROWS = [[-4.0, 1, 1], [6, 1, 1]]


def test_orthogonal_gradients_by_hand() -> None:
    # v = (1, 1) / sqrt(2), on which the rows project 3 / sqrt(2) + 4 / sqrt(2): d = (3.5, 3.5).
    weights, is_stationary = weigh(ConFIG(), [3, 0], [0, 4])
    np.testing.assert_allclose(weights, [3.5 / 3, 3.5 / 4], rtol=1e-12)
    assert not is_stationary


def test_the_hand_case() -> None:
    # Directions u_1 + u_2, of squared length 2 (1 + c); the lengths agree on (1 + c) of their sum.
    lengths = np.sqrt([18, 38])
    weights, _ = weigh(ConFIG(), *ROWS)
    np.testing.assert_allclose(weights, lengths.sum() / 2 / lengths, rtol=1e-12)


def test_cosines_are_in_proportion_to_the_loss_weights() -> None:
    signals = signals_of(np.array(ROWS), "float64", loss_weights=np.array([3.0, 1]))
    update = np.asarray(ConFIG().weigh(signals, {}).weights) @ ROWS
    cosines = ROWS @ update / np.sqrt([18, 38])
    assert cosines[0] / cosines[1] == pytest.approx(3, rel=1e-9)


def test_one_task_weighs_one() -> None:
    np.testing.assert_allclose(weigh(ConFIG(), [3, 4])[0], [1])


@pytest.mark.parametrize("factor", [1.0, 3.0, 1e-6, 1e6])
def test_duplicates_count_once(factor: float) -> None:
    weights, is_stationary = weigh(ConFIG(), [3 * factor, 4 * factor], [3, 4])
    np.testing.assert_allclose(
        weights @ [[3 * factor, 4 * factor], [3, 4]], [3 * (1 + factor), 4 * (1 + factor)]
    )
    assert weights[0] * factor == pytest.approx(weights[1], rel=1e-9)
    assert not is_stationary


@pytest.mark.parametrize("factor", [2.0, 2e-6, 2e6])
def test_opposite_gradients_are_flagged_and_cancel(factor: float) -> None:
    weights, is_stationary = weigh(ConFIG(), [factor, 0], [-1, 0])
    assert is_stationary
    np.testing.assert_allclose(weights @ [[factor, 0], [-1, 0]], 0, atol=1e-9 * factor)


def test_zero_rows_and_tasks_that_are_out_disturb_no_other() -> None:
    jacobian = np.array([ROWS[0], [0, 0, 0], ROWS[1], [5, 5, 5], [1, 2, 3]])
    signals = signals_of(
        jacobian,
        "float64",
        loss_weights=np.array([1.0, 1, 1, 0, 1]),
        counts=np.array([1.0, 1, 1, 1, 0]),
    )
    weights = np.asarray(ConFIG().weigh(signals, {}).weights)
    alone, _ = weigh(ConFIG(), *ROWS)
    np.testing.assert_allclose(weights, [alone[0], 0, alone[1], 0, 0], rtol=1e-12)


@pytest.mark.parametrize("n_tasks", range(1, MOST_TASKS + 1))
def test_cosines_are_equal_and_the_length_is_agreed_at_any_scale(n_tasks: int) -> None:
    jacobians = drawn(n_tasks)
    weights, flags = weighed(ConFIG(), jacobians)
    updates = np.einsum("nk,nkp->np", weights, jacobians)
    lengths = np.linalg.norm(updates, axis=1, keepdims=True)
    cosines = along(weights, jacobians) / lengths
    np.testing.assert_allclose(cosines, cosines[:, :1].repeat(n_tasks, 1), rtol=1e-9)
    agreed = np.einsum("nkp,np->n", jacobians, updates / lengths)
    np.testing.assert_allclose(lengths[:, 0], agreed, rtol=1e-9)
    assert not flags.any()
