"""LR annealing against numbers worked by hand."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from steelyard.weighting.lr_annealing import LRAnnealing
from tests.weighting.signals import signals_of

ROWS = np.array([[3.0, -1, 0], [0.5, 0.25, -0.25], [0, 0, 80]])  # |g| sums to 4, 1 and 80


def weights_over(
    method: LRAnnealing, *steps: Sequence[float], changes: Sequence[dict[str, Any]] = ()
) -> np.ndarray:
    """Returns the weights [K] of the last of some steps, whose |g| sum to given numbers."""
    memory = method.remember(len(steps[0]))
    for n, sizes in enumerate(steps):
        change = changes[n] if changes else {}
        signals = signals_of(np.eye(len(sizes)), "float64", statistic=np.array(sizes), **change)
        answer = method.weigh(signals, memory)
        memory = answer.memory
    return np.asarray(answer.weights)


def test_it_looks_at_the_sizes_and_leaves_the_gradients() -> None:
    look = LRAnnealing().look(ROWS, {}, np.full(3, 0.5), np.ones(3, bool))
    np.testing.assert_array_equal(look.rows, ROWS)
    np.testing.assert_array_equal(look.statistic, [4, 1, 80])
    assert look.kept == {}


def test_the_first_weights_make_all_gradients_as_large_as_the_reference() -> None:
    np.testing.assert_allclose(weights_over(LRAnnealing(), [4, 1, 80]), [1, 4, 0.05])
    given = weights_over(LRAnnealing(reference=2), [4, 1, 80])
    np.testing.assert_allclose(given, [20, 80, 1])


def test_a_mean_of_the_ratios_is_kept() -> None:
    # Ratios 4, 1 and 10, of which the newest is worth half of what there is: 1 : 2 : 4.
    given = weights_over(LRAnnealing(alpha=0.5), [4, 1], [2, 2], [5, 0.5])
    np.testing.assert_allclose(given, [1, (1 * 4 + 2 * 1 + 4 * 10) / 7])
    np.testing.assert_allclose(weights_over(LRAnnealing(alpha=1), [4, 1], [2, 2]), [1, 1])


def test_after_many_steps_the_newest_ratio_counts_for_alpha() -> None:
    given = weights_over(LRAnnealing(), *[[4, 1]] * 60, [14, 1])
    np.testing.assert_allclose(given, [1, 0.9 * 4 + 0.1 * 14], rtol=1e-3)


def test_loss_weights_are_factors() -> None:
    change = {"loss_weights": np.array([2.0, 3, 0])}
    np.testing.assert_allclose(
        weights_over(LRAnnealing(), [4, 1, 80], changes=[change]), [2, 12, 0]
    )
    np.testing.assert_allclose(weights_over(LRAnnealing(), [7]), [1])


@pytest.mark.parametrize("missing", ["label", "gradient"])
def test_a_task_that_is_missing_keeps_its_ratio(missing: str) -> None:
    is_label = missing == "label"
    changes = [{}, {"counts": np.array([1.0, 0])} if is_label else {}, {}]
    gone = [4, 1e3 if is_label else 0]
    given = weights_over(LRAnnealing(alpha=0.5), [4, 1], gone, changes=changes)
    np.testing.assert_array_equal(given, [1, 0])
    given = weights_over(LRAnnealing(alpha=0.5), [4, 1], gone, [1, 1], changes=changes)
    np.testing.assert_allclose(given, [1, (4 + 2 * 1) / 3])


def test_without_the_reference_all_keep_what_they_have() -> None:
    given = weights_over(LRAnnealing(alpha=0.5), [4, 1, 0], [0, 5, 5], [0, 5, 5])
    np.testing.assert_allclose(given, [0, 4, 1])  # the third was never in a step with it


@pytest.mark.parametrize("task", [0, 1, 2])
@pytest.mark.parametrize("factor", [1e-6, 1e6])
def test_units_do_not_turn_the_weighted_gradient(task: int, factor: float) -> None:
    rng = np.random.default_rng(0)
    rows = [ROWS, rng.normal(size=(3, 3)), rng.normal(size=(3, 3))]
    factors = np.ones((3, 1))
    factors[task] = factor
    plain, scaled = (
        weights_over(LRAnnealing(), *[np.abs(by * each).sum(axis=1) for each in rows])
        @ (by * rows[-1])
        for by in (np.ones((3, 1)), factors)
    )
    follows = factor if task == 0 else 1
    np.testing.assert_allclose(scaled, follows * plain, rtol=1e-5)


@pytest.mark.parametrize("sizes", [[0, 0], [1e-38, 1e38], [1e38, 1e-38], [np.inf, 1], [1, np.nan]])
def test_no_weight_is_infinite(sizes: list[float]) -> None:
    for n in (1, 3):
        assert np.isfinite(weights_over(LRAnnealing(), *[sizes] * n).astype("float32")).all()


def test_refuses_a_reference_that_is_not_there() -> None:
    LRAnnealing(reference=2).check(3)
    with pytest.raises(ValueError, match="`reference` must be below 3, the number of tasks, got 3"):
        LRAnnealing(reference=3).check(3)
    with pytest.raises(ValueError, match="`reference` must not be negative, got -1"):
        LRAnnealing(reference=-1)


@pytest.mark.parametrize("alpha", [0.0, 1.5])
def test_refuses_an_alpha_that_is_no_part(alpha: float) -> None:
    with pytest.raises(ValueError, match="`alpha` must be above 0 and at most 1, got"):
        LRAnnealing(alpha=alpha)
