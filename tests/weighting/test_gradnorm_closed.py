"""GradNorm's closed form against numbers worked by hand."""

from typing import Any

import numpy as np
import pytest

from steelyard.weighting.gradnorm_closed import GradNormClosed
from tests.weighting.signals import signals_of, weigh


def after(method: GradNormClosed, *losses: list[float], **changes: Any) -> np.ndarray:
    """Returns the weights of the last of some steps whose gradients have lengths 1 and 10."""
    memory = method.remember(2)
    for each in losses:
        signals = signals_of(np.diag([1.0, 10]), "float64", losses=np.array(each), **changes)
        answer = method.weigh(signals, memory)
        memory = answer.memory
    return np.asarray(answer.weights)


def test_the_first_step_makes_all_lengths_equal() -> None:
    np.testing.assert_allclose(weigh(GradNormClosed(), [1, 0], [0, 10])[0], [20 / 11, 2 / 11])
    np.testing.assert_allclose(weigh(GradNormClosed(), [3, 4])[0], [1])


def test_a_slow_task_gets_a_longer_gradient() -> None:
    # Down to 1/4 and to 1: the lengths are as (1/4)^1.5 = 1/8 to 1.
    weights = after(GradNormClosed(n_first_steps=1), [8, 5], [2, 5])
    np.testing.assert_allclose(weights, 2 * np.array([1 / 8, 1 / 10]) / (1 / 8 + 1 / 10))


def test_alpha_of_zero_makes_all_lengths_equal() -> None:
    weights = after(GradNormClosed(alpha=0, n_first_steps=1), [8, 5], [2, 5])
    np.testing.assert_allclose(weights, [20 / 11, 2 / 11])


def test_the_start_is_the_mean_of_the_first_steps() -> None:
    # Starts (8 + 2 + 2) / 3 = 4 and 5; then 1 and 5: lengths as 1/4 to 1.
    method = GradNormClosed(alpha=1, n_first_steps=3)
    weights = after(method, [8, 5], [2, 5], [2, 5], [9, 9], [1, 5])
    np.testing.assert_allclose(weights, 2 * np.array([1 / 4, 1 / 10]) / (1 / 4 + 1 / 10))


def test_loss_weights_are_shares_of_the_length() -> None:
    weights = after(GradNormClosed(), [8, 5], loss_weights=np.array([3.0, 1]))
    np.testing.assert_allclose(weights[0] / (10 * weights[1]), 3)


def test_a_task_without_labels_takes_no_share_and_its_start_waits() -> None:
    method = GradNormClosed(n_first_steps=1)
    signals = signals_of(
        np.diag([1.0, 0]), "float64", losses=np.array([8.0, 0]), counts=np.array([4.0, 0])
    )
    answer = method.weigh(signals, method.remember(2))
    np.testing.assert_allclose(answer.weights, [1, 0])
    np.testing.assert_allclose(answer.memory["start"], [8, 0])
    np.testing.assert_allclose(answer.memory["count"], [1, 0])


def test_a_loss_that_starts_at_zero_is_no_slower_than_any() -> None:
    weights = after(GradNormClosed(n_first_steps=1), [8, 0], [8, 5])
    np.testing.assert_allclose(weights, [20 / 11, 2 / 11])


def test_refuses_an_alpha_below_zero_and_no_first_step() -> None:
    with pytest.raises(ValueError, match="`alpha` must not be negative, got -1"):
        GradNormClosed(alpha=-1)
    with pytest.raises(ValueError, match="`n_first_steps` must be at least 1, got 0"):
        GradNormClosed(n_first_steps=0)
