"""GradDrop against numbers worked by hand."""

import numpy as np
import pytest

from steelyard.weighting.graddrop import GradDrop
from tests.weighting.signals import signals_of

ROWS = np.array([[3.0, 3, -1, 0], [-1, -1, -2, 0]])  # P = 3/4, 3/4, 0, no matter


def looked(
    method: GradDrop, rows: np.ndarray, draws: np.ndarray, is_active: np.ndarray | None = None
) -> np.ndarray:
    """Returns the rows [K, P] that a method makes of others."""
    is_active = np.full(len(rows), fill_value=True) if is_active is None else is_active
    look = method.look(rows, {}, draws.astype(rows.dtype), is_active)
    assert look.kept == {}
    np.testing.assert_array_equal(look.statistic, np.zeros(len(rows)))
    return np.asarray(look.rows)


def test_the_drawn_sign_passes_and_the_other_is_dropped() -> None:
    passed = looked(GradDrop(), ROWS, np.array([0.74, 0.76, 0.5, 0.5]))
    np.testing.assert_array_equal(passed, [[3, 0, -1, 0], [0, -1, -2, 0]])


@pytest.mark.parametrize("draw", [0.0, 1 - 2**-24])
def test_what_all_agree_on_passes_whatever_is_drawn(draw: float) -> None:
    rows = np.array([[1.0, -1, 1e-6, 0], [0, -3, 1e6, 0], [2, 0, 1, 0]], "float32")
    np.testing.assert_array_equal(looked(GradDrop(), rows, np.full(4, draw)), rows)


def test_a_leak_lets_a_share_of_the_dropped_pass() -> None:
    draws = np.array([0.74, 0.76, 0.5, 0.5])
    passed = looked(GradDrop(leak=0.25), ROWS, draws)
    np.testing.assert_allclose(passed, [[3, 0.75, -1, 0], [-0.25, -1, -2, 0]])
    np.testing.assert_array_equal(looked(GradDrop(leak=1.0), ROWS, draws), ROWS)


def test_on_average_each_sign_passes_as_often_as_it_is_strong() -> None:
    draws = (np.arange(1000) + 0.5) / 1000
    rows = np.array([[3.0], [-1], [2]]) * np.ones(1000)  # P = 5/6
    passed = looked(GradDrop(), rows, draws)
    np.testing.assert_allclose(passed.mean(axis=1), np.array([3, -1 / 5, 2]) * 5 / 6, atol=5e-3)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_the_larger_gradient_has_more_say(scale: float) -> None:
    rows = np.array([[scale], [-1.0]], "float32")
    kept = looked(GradDrop(), rows, np.array([0.5]))
    np.testing.assert_array_equal(kept, [[scale], [0]] if scale > 1 else [[0], [-1]])


def test_opposite_gradients_never_cancel_and_duplicates_pass_together() -> None:
    rows = np.array([[2.0, 2], [2, 2], [-2, -2], [-2, -2]])
    passed = looked(GradDrop(), rows, np.array([0.4, 0.6]))
    np.testing.assert_array_equal(passed.sum(axis=0), [4, -4])


@pytest.mark.parametrize("gradient", [-9.0, np.nan, np.inf])
def test_a_task_that_is_not_active_has_no_say(gradient: float) -> None:
    rows = np.array([[1.0], [gradient], [-1]])
    passed = looked(GradDrop(), rows, np.array([0.49]), np.array([True, False, True]))
    np.testing.assert_array_equal(passed, [[1], [0], [0]])


def test_one_task_passes_whole() -> None:
    row = np.array([[3.0, -4, 0]])
    np.testing.assert_array_equal(looked(GradDrop(), row, np.array([0.9, 0.1, 0.5])), row)


def test_every_active_task_weighs_one() -> None:
    signals = signals_of(
        np.diag([1e-6, 1e6, 0, 1]),
        loss_weights=np.array([0.1, 3, 1, 0]),
        counts=np.array([1.0, 2, 1, 1]),
    )
    weights = np.asarray(GradDrop().weigh(signals, {}).weights)
    assert weights.dtype == "float32"
    np.testing.assert_array_equal(weights, [1, 1, 1, 0])


@pytest.mark.parametrize("leak", [-0.1, 1.5, float("nan")])
def test_refuses_a_leak_that_is_no_share(leak: float) -> None:
    with pytest.raises(ValueError, match=f"`leak` must be between 0 and 1, got {leak}"):
        GradDrop(leak=leak)
