"""Nash-MTL against answers worked out by hand, and against its own equation at every scale."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steelyard.weighting.base import Signals
from steelyard.weighting.nash_mtl import NashMTL
from tests.weighting.signals import signals_of, weigh

SCALES = (1.0, 1e-6, 1e6)


def test_the_hand_case() -> None:
    weights, is_stationary = weigh(NashMTL(), [-4, 1, 1], [6, 1, 1])
    np.testing.assert_allclose(weights, [0.591461, 0.407071], atol=1e-6)
    assert not is_stationary


def test_orthogonal_gradients_weigh_one_over_their_length() -> None:
    weights, _ = weigh(NashMTL(), [3, 0], [0, 1e-5])
    np.testing.assert_allclose(weights, [1 / 3, 1e5], rtol=1e-9)


def test_duplicate_gradients_share_the_weight() -> None:
    # w (2 ||g||^2 w) = 1 for each of two equal rows, so w = 1 / (sqrt(2) ||g||).
    weights, _ = weigh(NashMTL(), [3, 4], [3, 4])
    np.testing.assert_allclose(weights, 1 / (5 * np.sqrt(2)), rtol=1e-9)


def test_one_gradient_weighs_one_over_its_length() -> None:
    weights, _ = weigh(NashMTL(), [3, 4])
    np.testing.assert_allclose(weights, [0.2], rtol=1e-9)


def test_a_zero_gradient_weighs_nothing_and_disturbs_no_other() -> None:
    weights, is_stationary = weigh(NashMTL(), [-4, 1, 1], [0, 0, 0], [6, 1, 1])
    np.testing.assert_allclose(weights, [0.591461, 0, 0.407071], atol=1e-6)
    assert not is_stationary


@pytest.mark.parametrize("scale", SCALES)
def test_opposite_gradients_are_flagged_and_cancel(scale: float) -> None:
    weights, is_stationary = weigh(NashMTL(), [2 * scale, 0], [-1, 0])
    assert is_stationary
    np.testing.assert_allclose(weights @ [[2 * scale, 0], [-1, 0]], 0, atol=1e-9)


def test_a_task_of_loss_weight_zero_is_out() -> None:
    jacobian = np.array([[-4.0, 1, 1], [5, 5, 5], [6, 1, 1]])
    signals: Signals = signals_of(jacobian, "float64", loss_weights=np.array([1.0, 0, 1]))
    weights = np.asarray(NashMTL().weigh(signals, {}).weights)
    np.testing.assert_allclose(weights, [0.591461, 0, 0.407071], atol=1e-6)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    n_tasks=st.integers(1, 8),
    spread=st.sampled_from([0.0, 1.0, 6.0]),
)
def test_each_task_gains_one_over_its_weight_at_any_scale(
    seed: int, n_tasks: int, spread: float
) -> None:
    rng = np.random.default_rng(seed)
    jacobian = rng.normal(size=(n_tasks, 10)) @ rng.normal(size=(10, 10))
    jacobian *= 10 ** rng.uniform(-spread, spread, size=(n_tasks, 1))
    weights, is_stationary = weigh(NashMTL(), *jacobian.tolist())
    assert not is_stationary
    update = weights @ jacobian
    np.testing.assert_allclose(weights * (jacobian @ update), 1, atol=1e-8)
    assert np.sum(update**2) == pytest.approx(n_tasks, rel=1e-6)
