"""Inverse norm against numbers worked by hand."""

import numpy as np
import pytest

from steelyard.weighting.inverse_norm import InverseNorm
from tests.weighting.signals import signals_of, weigh


def test_weights_are_inverse_to_the_lengths_and_sum_to_the_number_of_tasks() -> None:
    np.testing.assert_allclose(weigh(InverseNorm(), [1, 0], [0, 10])[0], [20 / 11, 2 / 11])
    np.testing.assert_allclose(weigh(InverseNorm(), [3, 4])[0], [1])


def test_loss_weights_are_shares_of_the_length() -> None:
    signals = signals_of(np.diag([1.0, 10]), "float64", loss_weights=np.array([3.0, 1]))
    answer = InverseNorm().weigh(signals, InverseNorm().remember(2))
    shares = np.asarray(answer.weights) * [1, 10]
    np.testing.assert_allclose(shares / shares.sum(), [0.75, 0.25])
    assert np.sum(answer.weights) == pytest.approx(2)


def test_the_lengths_are_averaged_from_the_first_on() -> None:
    # Of lengths 4, then 1, at beta = 1/2: m = (4 / 2 + 1) / (1 / 2 + 1) = 2, against 1 and 1.
    method = InverseNorm(beta=0.5)
    memory = method.remember(2)
    for length in (4.0, 1.0):
        answer = method.weigh(signals_of(np.diag([length, 1]), "float64"), memory)
        memory = answer.memory
    np.testing.assert_allclose(memory["norms"], [2, 1])
    np.testing.assert_allclose(answer.weights, [2 / 3, 4 / 3])


def test_tasks_that_take_no_part_weigh_nothing_and_keep_their_mean() -> None:
    method = InverseNorm(beta=0.5)
    memory = method.weigh(signals_of(np.diag([1.0, 2, 4]), "float64"), method.remember(3)).memory
    later = signals_of(np.diag([1.0, 0, 9]), "float64", counts=np.array([1.0, 1, 0]))
    answer = method.weigh(later, memory)
    np.testing.assert_allclose(answer.weights, [1, 0, 0])
    np.testing.assert_allclose(answer.memory["norms"], [1, 2, 4])
    np.testing.assert_allclose(answer.memory["count"], [2, 1, 1])


def test_refuses_a_mean_that_never_moves() -> None:
    with pytest.raises(ValueError, match="`beta` must be at least 0 and below 1, got 1"):
        InverseNorm(beta=1)
