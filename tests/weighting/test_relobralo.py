"""ReLoBRaLo against numbers worked by hand, and against all the draws of the random rule."""

import itertools
from typing import Any

import numpy as np
import pytest

from steelyard.weighting.relobralo import ReLoBRaLo
from tests.weighting.steps import softmax, weights_over


def test_the_first_step_weighs_the_loss_weights() -> None:
    weights = weights_over(ReLoBRaLo(), [1e-6, 1e6, 0, 1], loss_weights=[3, 1, 2, 0])
    np.testing.assert_allclose(weights, [[3, 1, 2, 0]], rtol=1e-6)


def test_the_hand_case() -> None:
    method = ReLoBRaLo(alpha=0.5, rho=0.75, temperature=2)
    weights = weights_over(method, [4, 1], [2, 1], [1, 1])
    second = 0.5 * 0.75 + (0.5 * 0.25 + 0.5) * 2 * softmax(0.25, 0.5)
    far, near = 2 * softmax(0.125, 0.5), 2 * softmax(0.25, 0.5)
    third = 0.5 * (0.75 * second + 0.25 * far) + 0.5 * near
    np.testing.assert_allclose(weights, [[1, 1], second, third], rtol=1e-6)


def test_the_weights_are_the_mean_over_all_draws() -> None:
    alpha, rho = 0.6, 0.7
    losses = np.exp(np.random.default_rng(0).normal(size=(5, 3)))

    def drawn(draws: tuple[int, ...]) -> np.ndarray:
        balance = np.ones(3)
        for step, is_kept in enumerate(draws, 1):
            far, near = (3 * softmax(*(losses[step] / losses[u])) for u in (0, step - 1))
            balance = alpha * (balance if is_kept else far) + (1 - alpha) * near
        return balance

    all_draws = list(itertools.product([0, 1], repeat=4))
    chances = [rho ** sum(draws) * (1 - rho) ** (4 - sum(draws)) for draws in all_draws]
    expected = np.average([drawn(draws) for draws in all_draws], axis=0, weights=chances)
    weights = weights_over(ReLoBRaLo(alpha=alpha, rho=rho), *losses.tolist())
    np.testing.assert_allclose(weights[-1], expected, rtol=1e-5)


def test_weights_sum_to_the_number_of_tasks_and_units_do_not_matter() -> None:
    steps = np.array([[4, 2, 1], [1, 2, 0.5], [3, 1, 2]])
    method = ReLoBRaLo(alpha=0.5, rho=0.5)
    weights = weights_over(method, *(steps * [1e-6, 1, 1e6]).tolist())
    np.testing.assert_allclose(weights.sum(axis=1), 3, rtol=1e-6)
    np.testing.assert_allclose(weights, weights_over(method, *steps.tolist()), rtol=1e-5)


def test_a_task_without_labels_takes_no_share_and_keeps_its_balance() -> None:
    method = ReLoBRaLo(alpha=0.0)  # the last step alone
    counts = [[1, 1, 1], [0, 1, 1], [1, 1, 1]]
    weights = weights_over(method, [4, 2, 1], [0, 2, 3], [1, 2, 3], counts=counts)
    np.testing.assert_allclose(weights[1], [0, *2 * softmax(1, 3)], rtol=1e-6)
    np.testing.assert_allclose(weights[2], 3 * softmax(0.25, 1, 1), rtol=1e-6)


def test_one_task_weighs_its_loss_weight() -> None:
    weights = weights_over(ReLoBRaLo(), [4], [1e-6], [0], [2], loss_weights=[3])
    np.testing.assert_allclose(weights, 3, rtol=1e-6)


def test_a_loss_that_leaps_is_finite() -> None:
    weights = weights_over(ReLoBRaLo(alpha=0.0, temperature=1e-3), [1e-30, 1], [1e30, 1])
    np.testing.assert_allclose(weights[1], [2, 0])


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"alpha": 1.5}, "`alpha` must be from 0 to 1, got 1.5"),
        ({"rho": -1}, "`rho` must be from 0 to 1, got -1"),
        ({"temperature": 0}, "`temperature` must be positive, got 0"),
    ],
)
def test_refuses_knobs_that_make_no_mean(knobs: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ReLoBRaLo(**knobs)
