"""RLW against the distributions that it draws from, and at the ends of the draws."""

from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from steelyard.weighting.rlw import RLW, Distribution
from tests.weighting.signals import signals_of
from tests.weighting.steps import softmax

DRAWS = np.array([0.1, 0.5, 0.8])
DISTRIBUTIONS: tuple[Distribution, ...] = ("normal", "dirichlet")

each_distribution = pytest.mark.parametrize("distribution", DISTRIBUTIONS)


def drawn(method: RLW, own: np.ndarray, **changes: Any) -> np.ndarray:
    """Returns the weights [K] of a step in which these are the tasks' own draws [K]."""
    draws = np.diag(own)
    signals = signals_of(np.ones((len(own), 1)), "float64", draws=draws, **changes)
    return np.asarray(method.weigh(signals, {}).weights)


def test_the_weights_are_a_softmax_of_normal_numbers() -> None:
    np.testing.assert_allclose(drawn(RLW(), DRAWS), softmax(*norm.ppf(DRAWS)), rtol=1e-6)


def test_the_weights_are_exponential_numbers_in_parts_of_their_sum() -> None:
    expected = np.log(DRAWS) / np.log(DRAWS).sum()
    np.testing.assert_allclose(drawn(RLW(distribution="dirichlet"), DRAWS), expected, rtol=1e-6)


def test_many_weights_are_distributed_as_they_should_be() -> None:
    draws = np.random.default_rng(0).uniform(size=(20, 1000))
    scores = np.log([drawn(RLW(), each) for each in draws])  # and what a step's have in common
    assert np.std(scores, axis=1).mean() == pytest.approx(1, abs=0.02)
    # A Dirichlet's shares are exponential when they are many: in units of their mean, 1 and 1.
    shares = 1000 * np.array([drawn(RLW(distribution="dirichlet"), each) for each in draws])
    assert np.mean(shares) == pytest.approx(1)
    assert np.std(shares) == pytest.approx(1, abs=0.03)


@each_distribution
def test_a_task_that_takes_no_part_takes_no_share(distribution: Distribution) -> None:
    method = RLW(distribution=distribution)
    pair = drawn(method, DRAWS[[0, 2]])
    absent = drawn(method, DRAWS, counts=np.array([1, 0, 1]))
    np.testing.assert_allclose(absent, [pair[0], 0, pair[1]], rtol=1e-6)
    untrained = drawn(method, DRAWS, loss_weights=np.array([3.0, 0, 1]))
    np.testing.assert_allclose(untrained, [3 * pair[0], 0, pair[1]], rtol=1e-6)
    np.testing.assert_array_equal(drawn(method, DRAWS, counts=np.zeros(3)), 0)


@each_distribution
@pytest.mark.parametrize("edge", [0.0, 1.0, 1 - 2.0**-24])
def test_a_draw_at_its_end_makes_no_weight_infinite(
    edge: float, distribution: Distribution
) -> None:
    method = RLW(distribution=distribution)
    np.testing.assert_allclose(drawn(method, np.array([edge])), [1])
    weights = drawn(method, np.array([edge, 0.5]))
    assert np.isfinite(weights).all()
    assert weights.sum() == pytest.approx(1)


def test_refuses_a_distribution_that_it_does_not_know() -> None:
    with pytest.raises(ValueError, match="`distribution` must be one of normal, dirichlet, got 'u"):
        RLW(distribution="uniform")  # type: ignore[arg-type]
