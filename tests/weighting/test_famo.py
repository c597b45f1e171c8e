"""FAMO against its formulas, and against the rates that it is to even out."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from steelyard.weighting.base import Signals
from steelyard.weighting.famo import FAMO
from tests.weighting.signals import signals_of
from tests.weighting.steps import softmax, weights_over

LOGITS = np.array([0.3, -1.0, 0.5], "float32")


def after(losses: Any, later: Any, **changes: Any) -> Signals:
    """Returns the signals of a step, as they are known after it."""
    losses, later = np.array(losses, "float32"), np.array(later, "float32")
    return signals_of(np.eye(len(losses)), losses=losses, losses_after=later, **changes)


def slopes(method: FAMO, signals: Signals, logits: np.ndarray) -> np.ndarray:
    """Returns how the active tasks' terms change with each learned number [K]."""
    given = tf.constant(logits, "float32")
    with tf.GradientTape() as tape:
        tape.watch(given)
        terms = tf.where(signals.is_active, method.lesson(signals, {"logits": given}), 0)
        objective = tf.reduce_sum(terms)
    return tape.gradient(objective, given).numpy()


def weights_at(method: FAMO, losses: Any, logits: np.ndarray) -> np.ndarray:
    """Returns the weights [K] of a step."""
    signals = signals_of(np.eye(len(losses)), losses=np.array(losses, "float32"))
    return np.asarray(method.weigh(signals, {"logits": logits}).weights)


def test_the_weights_are_shares_of_each_loss_in_the_sum_of_logarithms() -> None:
    losses = np.array([2.0, 5, 1e3])
    expected = softmax(*LOGITS) / (losses - 1)
    given = weights_at(FAMO(least=1), losses, LOGITS)
    np.testing.assert_allclose(given, expected / expected.sum(), rtol=1e-5)


def test_the_first_weights_are_the_losses_inverses_in_parts_of_their_sum() -> None:
    np.testing.assert_allclose(weights_over(FAMO(), [1, 3]), [[0.75, 0.25]], rtol=1e-6)
    np.testing.assert_allclose(
        weights_over(FAMO(), [1, 9, 3], loss_weights=[2, 0, 1]), [[1.5, 0, 0.25]], rtol=1e-6
    )
    np.testing.assert_allclose(weights_over(FAMO(), [1e-6], loss_weights=[3]), [[3]])


def test_the_slopes_are_those_of_the_paper() -> None:
    losses, later = np.array([2, 5, 1e3]), np.array([1.9, 5.5, 2e2])
    gains = np.log(losses) - np.log(later)
    z = softmax(*LOGITS)
    expected = z * (gains - z @ gains) + 0.1 * LOGITS
    given = slopes(FAMO(gamma=0.1), after(losses, later), LOGITS)
    np.testing.assert_allclose(given, expected, rtol=1e-4)


def test_a_task_that_gained_less_comes_to_weigh_more() -> None:
    given = slopes(FAMO(), after([1, 1e6], [0.9, 5e5]), np.zeros(2))
    assert given[0] < 0 < given[1]  # numbers move against their slopes


def test_all_logarithms_come_to_fall_at_the_same_rate() -> None:
    """A loss that falls by exp(-0.1 a_k z_k) in a step falls as fast as the other at a_k z_k."""
    speeds, losses = np.array([1.0, 4]), np.array([1.0, 1e4])
    value, optimizer = keras.Variable([0.0, 0.0]), keras.optimizers.Adam(0.1)
    for _ in range(60):
        later = losses * np.exp(-0.1 * speeds * softmax(*value.numpy()))
        given = slopes(FAMO(gamma=0), after(losses, later), value.numpy())
        optimizer.apply([tf.constant(given)], [value])
    np.testing.assert_allclose(softmax(*value.numpy()), [0.8, 0.2], atol=0.02)


def test_a_task_without_labels_takes_no_share_and_teaches_nothing() -> None:
    given = weights_over(FAMO(), [1, 0, 3], counts=[[1, 0, 1]])
    np.testing.assert_allclose(given, [[0.75, 0, 0.25]], rtol=1e-6)
    pair = slopes(FAMO(), after([2, 1e3], [1.9, 2e2]), LOGITS[[0, 2]])
    three = after([2, 0, 1e3], [1.9, 0, 2e2], counts=np.array([1, 0, 1]))
    np.testing.assert_allclose(slopes(FAMO(), three, LOGITS), [pair[0], 0, pair[1]], rtol=1e-5)


@pytest.mark.parametrize("low", [1.0, 0.5, 0.0])
def test_a_loss_at_its_least_or_below_weighs_nothing_and_only_decays(low: float) -> None:
    method = FAMO(gamma=0.1, least=1)
    losses = np.array([low, 2, 4], "float32")
    np.testing.assert_allclose(weights_at(method, losses, np.zeros(3)), [0, 0.75, 0.25], rtol=1e-6)
    pair = slopes(method, after([2, 4], [1.5, 3]), LOGITS[1:])
    for step in (after(losses, [0.7, 1.5, 3]), after([2, 2, 4], [low, 1.5, 3])):
        given = slopes(method, step, LOGITS)
        np.testing.assert_allclose(given, [0.1 * LOGITS[0], *pair], rtol=1e-5)
    np.testing.assert_array_equal(weights_at(method, [low, low], np.zeros(2)), [0, 0])


@pytest.mark.parametrize("odd", [np.inf, np.nan, 1e-38, 3e38])
def test_a_loss_out_of_range_disturbs_no_other(odd: float) -> None:
    given = weights_at(FAMO(), [odd, 2, 4], np.zeros(3))
    assert np.isfinite(given).all()
    if odd != 3e38:
        np.testing.assert_allclose(given, [0, 2 / 3, 1 / 3], rtol=1e-6)
    for step in (after([odd, 2, 4], [1, 1, 3]), after([1, 2, 4], [odd, 1, 3])):
        assert np.isfinite(slopes(FAMO(), step, LOGITS)).all()


def test_refuses_a_pull_away_from_zero() -> None:
    with pytest.raises(ValueError, match="`gamma` must not be negative, got -1"):
        FAMO(gamma=-1)
