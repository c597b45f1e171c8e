"""EnCodec's balancer against its own example and numbers worked by hand."""

import numpy as np
import pytest

from steelyard.weighting.encodec import EnCodec
from tests.weighting.signals import signals_of, weigh


def test_its_own_example_balances() -> None:
    # |x - 1| and 100 |x + 1| at x = 0: gradients -1 and 100, 99 as they are and 0 in balance.
    weights, _ = weigh(EnCodec(), [-1], [100])
    np.testing.assert_allclose(weights, [0.5, 0.005], rtol=1e-12)
    np.testing.assert_allclose(weights @ [-1, 100], 0, atol=1e-12)


def test_loss_weights_are_fractions_of_the_budget() -> None:
    method = EnCodec(total_norm=5.0)
    signals = signals_of(np.diag([1e-6, 1e6]), "float64", loss_weights=np.array([3.0, 2]))
    weights = np.asarray(method.weigh(signals, method.remember(2)).weights)
    np.testing.assert_allclose(weights * [1e-6, 1e6], [3, 2])


def test_one_task_gets_all_of_it() -> None:
    np.testing.assert_allclose(weigh(EnCodec(), [3, 4])[0], [0.2])


def test_the_lengths_are_averaged_from_the_first_on() -> None:
    method = EnCodec(beta=0.5)
    memory = method.remember(1)
    for length in (4.0, 1.0):  # m = (4 / 2 + 1) / (1 / 2 + 1)
        answer = method.weigh(signals_of(np.diag([length]), "float64"), memory)
        memory = answer.memory
    np.testing.assert_allclose(answer.weights, [0.5])


def test_the_first_steps_are_right_in_float32_too() -> None:
    method = EnCodec()
    memory = method.remember(1)
    for _ in range(3):
        answer = method.weigh(signals_of(np.diag([3.0]), "float32"), memory)
        memory = answer.memory
        assert np.asarray(answer.weights).dtype == "float32"
        np.testing.assert_allclose(answer.weights, [1 / 3], rtol=1e-6)


def test_tasks_that_take_no_part_weigh_nothing_and_keep_their_mean() -> None:
    method = EnCodec(beta=0.5)
    memory = method.weigh(signals_of(np.diag([1.0, 2, 4]), "float64"), method.remember(3)).memory
    later = signals_of(np.diag([1.0, 0, 9]), "float64", counts=np.array([1.0, 1, 0]))
    answer = method.weigh(later, memory)
    np.testing.assert_allclose(answer.weights, [1, 0, 0])
    np.testing.assert_allclose(answer.memory["norms"], [1, 2, 4])


def test_refuses_a_budget_of_nothing_and_a_mean_that_never_moves() -> None:
    with pytest.raises(ValueError, match="`total_norm` must be positive, got 0"):
        EnCodec(total_norm=0)
    with pytest.raises(ValueError, match="`beta` must be at least 0 and below 1, got 1"):
        EnCodec(beta=1)
