"""Aligned-MTL against numbers worked by hand, and its closed form for two tasks at any scale."""

import numpy as np
import pytest

from steelyard.weighting.aligned_mtl import AlignedMTL
from tests.weighting.jacobians import MOST_TASKS, drawn, weighed
from tests.weighting.signals import signals_of, weigh

ROWS = [[-4.0, 1, 1], [6, 1, 1]]
AXES = [[2.0, 0, 0], [0, 3, 0], [0, 0, 6]]  # eigenvalues 4, 9 and 36


def root_inverse(gramian: np.ndarray) -> np.ndarray:
    """Returns G^(-1/2) for two rows: G^(1/2) is (G + s) / sqrt(trace + 2 s), s = sqrt(det G)."""
    root_det = np.sqrt(np.linalg.det(gramian))
    root = (gramian + root_det * np.eye(2)) / np.sqrt(np.trace(gramian) + 2 * root_det)
    return np.linalg.inv(root)


def test_the_hand_case() -> None:
    weights, is_stationary = weigh(AlignedMTL(), *ROWS)
    np.testing.assert_allclose(weights, [0.559072, 0.408261], atol=1e-6)
    assert not is_stationary


@pytest.mark.parametrize(("scale", "square"), [("min", 4), ("median", 9), ("rmse", 49 / 3)])
def test_the_aligned_gradients_are_as_long_as_the_scale_says(scale: str, square: float) -> None:
    weights, _ = weigh(AlignedMTL(scale=scale), *AXES)
    np.testing.assert_allclose(weights, np.sqrt(square) / np.array([2, 3, 6]) / 3, rtol=1e-12)


def test_the_median_of_an_even_number_is_the_lower() -> None:
    weights, _ = weigh(
        AlignedMTL(scale="median"), [2, 0, 0, 0], [0, 3, 0, 0], [0, 0, 6, 0], [0] * 3 + [7]
    )
    np.testing.assert_allclose(weights, 3 / np.array([2, 3, 6, 7]) / 4, rtol=1e-12)


def test_the_loss_weights_are_the_preference() -> None:
    signals = signals_of(np.array(AXES), "float64", loss_weights=np.array([6.0, 3, 1]))
    weights = np.asarray(AlignedMTL().weigh(signals, {}).weights)
    np.testing.assert_allclose(weights, [0.6, 0.3 * 2 / 3, 0.1 * 2 / 6], rtol=1e-12)


def test_one_task_weighs_one() -> None:
    np.testing.assert_allclose(weigh(AlignedMTL(), [3, 4])[0], [1])


@pytest.mark.parametrize("factor", [1.0, 1e-6, 1e6])
def test_two_tasks_follow_the_closed_form_at_any_scale(factor: float) -> None:
    rows = np.array(ROWS) * [[factor], [1]]
    gramian = rows @ rows.T
    least = np.linalg.det(gramian) / np.linalg.eigvalsh(gramian)[1]
    weights, _ = weigh(AlignedMTL(), *rows.tolist())
    np.testing.assert_allclose(
        weights, np.sqrt(least) * root_inverse(gramian) @ [0.5, 0.5], rtol=1e-8
    )


@pytest.mark.parametrize("n_tasks", range(1, MOST_TASKS + 1))
def test_the_update_is_that_of_orthogonal_gradients_at_any_scale(n_tasks: int) -> None:
    # Orthogonal vectors of squared length s, of which the mean is taken: ||d||^2 = s / K. And the
    # least eigenvalue of G is one over the largest of its inverse.
    jacobians = drawn(n_tasks, 50)
    weights, _ = weighed(AlignedMTL(), jacobians)
    lengths = np.linalg.norm(jacobians, axis=2)
    directions = jacobians / lengths[:, :, None]
    cosines = directions @ directions.transpose(0, 2, 1)
    inverses = np.linalg.inv(cosines) / lengths[:, :, None] / lengths[:, None, :]
    least = 1 / np.linalg.eigvalsh(inverses)[:, -1]
    squares = np.sum(np.einsum("nk,nkp->np", weights, jacobians) ** 2, axis=1)
    np.testing.assert_allclose(squares, least / n_tasks, rtol=1e-8)


@pytest.mark.parametrize("factor", [1.0, 1e-3, 1e3])
def test_dependent_gradients_leave_fewer_directions(factor: float) -> None:
    # One direction: its eigenvalue is 25 (1 + f^2), and v = (f, 1) / sqrt(1 + f^2).
    weights, _ = weigh(AlignedMTL(), [3 * factor, 4 * factor], [3, 4])
    direction = np.array([factor, 1]) / np.hypot(factor, 1)
    np.testing.assert_allclose(weights, direction * direction.sum() / 2, rtol=1e-9)


def test_zero_rows_and_tasks_that_are_out_disturb_no_other() -> None:
    jacobian = np.array([ROWS[0], [0, 0, 0], ROWS[1], [5, 5, 5], [1, 2, 3]])
    signals = signals_of(
        jacobian,
        "float64",
        loss_weights=np.array([1.0, 1, 1, 0, 1]),
        counts=np.array([1.0, 1, 1, 1, 0]),
    )
    weights = np.asarray(AlignedMTL().weigh(signals, {}).weights)
    np.testing.assert_allclose(weights, [0.559072, 0, 0.408261, 0, 0], atol=1e-6)


def test_refuses_a_scale_that_is_not_one() -> None:
    with pytest.raises(ValueError, match="`scale` must be one of min, median, rmse, got 'max'"):
        AlignedMTL(scale="max")
