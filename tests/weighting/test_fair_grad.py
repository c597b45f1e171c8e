"""FairGrad against numbers worked by hand, Nash-MTL, and its own equation at every scale."""

import numpy as np
import pytest

from steelyard.weighting.fair_grad import FairGrad
from steelyard.weighting.nash_mtl import NashMTL
from tests.weighting.jacobians import MOST_TASKS, along, drawn, weighed
from tests.weighting.signals import signals_of, weigh

each_alpha = pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0, 5.0])


@each_alpha
def test_orthogonal_gradients_by_hand(alpha: float) -> None:
    # n^2 w = w^(-1 / alpha), so w = n^(-2 alpha / (1 + alpha)).
    weights, is_stationary = weigh(FairGrad(alpha=alpha), [3, 0], [0, 1e-4])
    np.testing.assert_allclose(weights, np.array([3, 1e-4]) ** (-2 * alpha / (1 + alpha)))
    assert not is_stationary


def test_duplicates_share_the_weight() -> None:
    # 2 n^2 w = w^(-1/2) at n = 5, so w = 50^(-2/3).
    np.testing.assert_allclose(weigh(FairGrad(alpha=2), [3, 4], [3, 4])[0], 50 ** (-2 / 3))


@pytest.mark.parametrize("n_tasks", range(1, MOST_TASKS + 1))
def test_alpha_of_one_is_nash_mtl(n_tasks: int) -> None:
    jacobians = drawn(n_tasks)
    weights, _ = weighed(FairGrad(alpha=1.0), jacobians)
    np.testing.assert_allclose(weights, weighed(NashMTL(), jacobians)[0], rtol=1e-8)


def test_a_large_alpha_looks_after_the_least_gain() -> None:
    rows = np.array([[-4.0, 1, 1], [0.6, 0.1, 0.1]])
    shares = []
    for alpha in (0.5, 1.0, 2.0, 10.0):
        gains = rows @ (weigh(FairGrad(alpha=alpha), *rows.tolist())[0] @ rows)
        shares.append(gains.min() / gains.max())
    assert shares == sorted(shares)


@pytest.mark.parametrize("spread", [0.0, 6.0])
@pytest.mark.parametrize("n_tasks", [2, 3, 5, MOST_TASKS])
@each_alpha
def test_the_equation_holds_at_any_scale(alpha: float, n_tasks: int, spread: float) -> None:
    jacobians = drawn(n_tasks, 50, spread)
    weights, flags = weighed(FairGrad(alpha=alpha), jacobians)
    lengths = np.linalg.norm(jacobians, axis=2)
    gains = along(weights, jacobians) * lengths  # G w
    # A gain may be the small difference of large terms, and then has lost digits to them.
    terms = lengths * np.sum(weights * lengths, axis=1, keepdims=True)
    wanted = weights ** (-1 / alpha)
    assert (np.abs(gains - wanted) <= 1e-6 * wanted + 1e-14 * terms).all()
    assert (gains > 0).all()
    assert not flags.any()


@each_alpha
def test_nearly_opposite_gradients_are_solved(alpha: float) -> None:
    rows = np.array([[-30.0, 0.03], [1, 1e-3]])
    weights, is_stationary = weigh(FairGrad(alpha=alpha), *rows.tolist())
    np.testing.assert_allclose(rows @ (weights @ rows), weights ** (-1 / alpha), rtol=1e-6)
    assert not is_stationary


@each_alpha
@pytest.mark.parametrize("factor", [2.0, 2e-6, 2e6])
def test_opposite_gradients_are_flagged_and_cancel(alpha: float, factor: float) -> None:
    weights, is_stationary = weigh(FairGrad(alpha=alpha), [factor, 0], [-1, 0])
    assert is_stationary
    np.testing.assert_allclose(weights @ [[factor, 0], [-1, 0]], 0, atol=1e-9)


@each_alpha
def test_pareto_stationary_gradients_are_flagged(alpha: float) -> None:
    weights, is_stationary = weigh(FairGrad(alpha=alpha), [5, 0], [-1, 2], [-1, -2], [3, 1])
    assert is_stationary
    assert np.isfinite(weights).all()


def test_zero_rows_and_tasks_that_are_out_disturb_no_other() -> None:
    jacobian = np.array([[-4.0, 1, 1], [0, 0, 0], [6, 1, 1], [5, 5, 5], [1, 2, 3]])
    signals = signals_of(
        jacobian,
        "float64",
        loss_weights=np.array([1.0, 1, 1, 0, 1]),
        counts=np.array([1.0, 1, 1, 1, 0]),
    )
    weights = np.asarray(FairGrad().weigh(signals, {}).weights)
    alone, _ = weigh(FairGrad(), [-4, 1, 1], [6, 1, 1])
    np.testing.assert_allclose(weights, [alone[0], 0, alone[1], 0, 0], rtol=1e-12)


def test_refuses_an_alpha_of_zero() -> None:
    with pytest.raises(ValueError, match="`alpha` must be positive, got 0"):
        FairGrad(alpha=0)
