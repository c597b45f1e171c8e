"""IMTL-G against numbers worked by hand, and its equal projections at every scale."""

import numpy as np
import pytest

from steelyard.weighting.imtl_g import IMTLG
from tests.weighting.jacobians import MOST_TASKS, along, drawn, weighed
from tests.weighting.signals import signals_of, weigh


def test_the_hand_case() -> None:
    # Two tasks weigh 1 / sqrt(18) and 1 / sqrt(38), over their sum.
    weights, is_stationary = weigh(IMTLG(), [-4, 1, 1], [6, 1, 1])
    np.testing.assert_allclose(weights, [0.592330, 0.407670], atol=1e-6)
    assert not is_stationary


def test_of_three_tasks_one_may_weigh_less_than_nothing() -> None:
    # The third lies between the others, which then serve it more than it asks for.
    rows = np.array([[1.0, 0, 0], [0, 1, 0], [3, 3, 1]])
    weights, is_stationary = weigh(IMTLG(), *rows.tolist())
    lengths = np.linalg.norm(rows, axis=1)
    expected = np.linalg.solve(rows @ rows.T, lengths)  # G w is in proportion to the lengths
    np.testing.assert_allclose(weights, expected / np.abs(expected).sum(), rtol=1e-9)
    assert weights.min() < 0
    assert not is_stationary


def test_one_task_weighs_one() -> None:
    np.testing.assert_allclose(weigh(IMTLG(), [3, 4])[0], [1])


@pytest.mark.parametrize("factor", [1.0, 3.0, 1e-6, 1e6])
def test_duplicates_share_the_weight(factor: float) -> None:
    rows = [[3 * factor, 4 * factor, 0], [3, 4, 0], [0, 0, 5]]
    weights, is_stationary = weigh(IMTLG(), *rows)
    expected = np.array([0.5 / factor, 0.5, 1])
    np.testing.assert_allclose(weights, expected / expected.sum(), rtol=1e-9)
    assert not is_stationary


def test_almost_duplicates_do_not_blow_up() -> None:
    # Rounded to float32, 0.3 times a row is no multiple of it: that must not be amplified.
    row = np.random.default_rng(0).normal(size=50).astype("float32")
    other = np.random.default_rng(1).normal(size=50).astype("float32")
    rows = [row, row * np.float32(0.3), other]
    weights, is_stationary = weigh(IMTLG(), *[each.tolist() for each in rows])
    assert not is_stationary
    np.testing.assert_allclose(weights[1] / weights[0], 1 / 0.3, rtol=1e-5)


@pytest.mark.parametrize("factor", [2.0, 2e-6, 2e6])
def test_opposite_gradients_are_flagged_and_cancel(factor: float) -> None:
    weights, is_stationary = weigh(IMTLG(), [factor, 0], [-1, 0])
    assert is_stationary
    np.testing.assert_allclose(weights @ [[factor, 0], [-1, 0]], 0, atol=1e-9)
    assert weights.sum() == pytest.approx(1)


def test_almost_opposite_gradients_are_not() -> None:
    angle = 1e-3
    weights, is_stationary = weigh(IMTLG(), [-30, 30 * angle], [1, angle])
    np.testing.assert_allclose(weights, [1 / 31, 30 / 31], rtol=1e-9)
    assert not is_stationary


def test_zero_rows_and_tasks_that_are_out_disturb_no_other() -> None:
    jacobian = np.array([[-4.0, 1, 1], [0, 0, 0], [6, 1, 1], [5, 5, 5], [1, 2, 3]])
    signals = signals_of(
        jacobian,
        "float64",
        loss_weights=np.array([1.0, 1, 1, 0, 1]),
        counts=np.array([1.0, 1, 1, 1, 0]),
    )
    weights = np.asarray(IMTLG().weigh(signals, {}).weights)
    np.testing.assert_allclose(weights, [0.592330, 0, 0.407670, 0, 0], atol=1e-6)


@pytest.mark.parametrize("n_tasks", range(1, MOST_TASKS + 1))
def test_projections_are_equal_at_any_scale(n_tasks: int) -> None:
    jacobians = drawn(n_tasks)
    weights, flags = weighed(IMTLG(), jacobians)
    projections = along(weights, jacobians)
    np.testing.assert_allclose(projections, projections[:, :1].repeat(n_tasks, 1), rtol=1e-9)
    np.testing.assert_allclose(np.abs(weights).sum(axis=1), 1, rtol=1e-12)
    assert (projections > 0).all()
    assert not flags.any()
