"""IMTL-L against its fixed point, and against the uncertainty weighting that it is."""

import keras
import numpy as np
import pytest

from steelyard.weighting.base import Signals
from steelyard.weighting.imtl_l import IMTLL
from steelyard.weighting.scale_invariant import ScaleInvariant
from steelyard.weighting.uncertainty import Uncertainty
from tests.weighting.signals import signals_of
from tests.weighting.steps import weights_over


def slopes(method: IMTLL, signals: Signals, log_scale: np.ndarray) -> np.ndarray:
    """Returns how the objective changes with each task's scale [K]."""
    step, ends = 1e-2, []
    for moved in (log_scale + step, log_scale - step):
        memory = {"log_scale": np.asarray(moved, "float32")}
        ends.append(method.lesson(signals, memory))
    return np.asarray(ends[0] - ends[1]) / (2 * step)


def test_the_scaled_losses_come_to_rest_at_one() -> None:
    losses = np.array([5, 0.02], "float32")
    signals = signals_of(np.eye(2), losses=losses)
    value, optimizer = keras.Variable([0.0, 0.0]), keras.optimizers.Adam(0.05)
    for _ in range(400):
        optimizer.apply([slopes(IMTLL(), signals, value.numpy())], [value])
    weights = np.asarray(IMTLL().weigh(signals, {"log_scale": value.value}).weights)
    np.testing.assert_allclose(weights, 1 / losses, rtol=1e-2)
    analytic = weights_over(ScaleInvariant(), losses.tolist())[0]
    np.testing.assert_allclose(weights, analytic, rtol=1e-2)


def test_the_objective_is_flat_where_the_scale_is_minus_the_logarithm() -> None:
    signals = signals_of(np.eye(2), losses=np.array([30.0, 0.1]))
    np.testing.assert_allclose(slopes(IMTLL(), signals, -np.log([30.0, 0.1])), 0, atol=1e-3)


def test_it_is_twice_uncertainty_weighting_with_the_sign_turned() -> None:
    log_scale = np.array([-2.0, 0.0, 0.7, 3.0], "float32")
    signals = signals_of(np.eye(4), loss_weights=np.array([1, 0.5, 3, 1]))
    ours, theirs = {"log_scale": log_scale}, {"log_noise": -log_scale}
    for rule in ("weigh", "lesson"):
        one, other = getattr(IMTLL(), rule), getattr(Uncertainty(), rule)
        answers = [one(signals, ours), other(signals, theirs)]
        if rule == "weigh":
            answers = [each.weights for each in answers]
        np.testing.assert_allclose(answers[0], 2 * np.asarray(answers[1]), rtol=1e-6)


def test_the_first_weights_are_the_loss_weights_whatever_the_losses() -> None:
    weights = weights_over(IMTLL(), [1e-6, 1e6, 0, 1], loss_weights=[3, 1, 0.5, 0])
    np.testing.assert_allclose(weights, [[3, 1, 0.5, 0]])


def test_a_task_without_labels_weighs_nothing() -> None:
    np.testing.assert_allclose(weights_over(IMTLL(), [1, 0], counts=[[1, 0]]), [[1, 0]])


def test_a_scale_beyond_the_bound_is_cut_off_and_brought_back() -> None:
    method = IMTLL(bound=2)
    signals = signals_of(np.eye(2), losses=np.array([0.0, 1e3]))
    beyond = np.array([3, -3], "float32")
    weights = np.asarray(method.weigh(signals, {"log_scale": beyond}).weights)
    np.testing.assert_allclose(weights, np.exp([2, -2]), rtol=1e-6)
    np.testing.assert_allclose(slopes(method, signals, beyond), [1, -1], rtol=1e-3)


def test_refuses_a_bound_of_zero() -> None:
    with pytest.raises(ValueError, match="`bound` must be positive, got 0"):
        IMTLL(bound=0)
