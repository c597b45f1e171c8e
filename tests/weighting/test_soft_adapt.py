"""SoftAdapt against ratios worked by hand."""

import numpy as np
import pytest

from steelyard.weighting.dwa import DWA
from steelyard.weighting.soft_adapt import SoftAdapt
from tests.weighting.steps import softmax, weights_over


@pytest.mark.parametrize("beta", [-1.0, 0.1, 1.0, 5.0])
def test_the_slower_of_two_losses_weighs_more_if_beta_is_positive(beta: float) -> None:
    weights = weights_over(SoftAdapt(beta=beta), [4, 2], [1, 2])
    np.testing.assert_allclose(weights, [[0.5, 0.5], softmax(beta / 4, beta)], rtol=1e-6)


def test_losses_are_averaged_over_a_window_of_examples() -> None:
    steps = ([6, 3], [2, 0], [1, 1], [1, 4], [9, 9])
    counts = [[1, 2], [1, 1], [1, 2], [1, 1], [1, 1]]
    weights = weights_over(SoftAdapt(window=2), *steps, counts=counts)
    # Means 4 and 2 go to 1 and 2; the fifth step's window is not full.
    expected = softmax(0.25, 1)
    np.testing.assert_allclose(weights, [[0.5, 0.5]] * 3 + [expected] * 2, rtol=1e-6)


def test_units_do_not_matter() -> None:
    steps = np.array([[4, 2], [1, 2], [3, 1]])
    units = np.array([1e-6, 1e6])
    weights = weights_over(SoftAdapt(), *(steps * units).tolist())
    np.testing.assert_allclose(weights, weights_over(SoftAdapt(), *steps.tolist()), rtol=1e-5)


def test_a_window_of_an_epoch_is_dwa_over_the_number_of_tasks() -> None:
    steps = [[6, 3, 1], [2, 1, 1], [1, 2, 5], [1, 2, 2]]
    ours = weights_over(SoftAdapt(beta=0.5, window=2), *steps)[-1]
    theirs = weights_over(DWA(), *steps, [9, 9, 9], epochs=[0, 0, 1, 1, 2])[-1]
    np.testing.assert_allclose(ours, theirs / 3, rtol=1e-6)


def test_a_task_without_labels_takes_no_share_and_keeps_its_window() -> None:
    weights = weights_over(
        SoftAdapt(), [4, 2, 1], [0, 2, 3], [1, 2, 3], counts=[[1, 1, 1], [0, 1, 1], [1, 1, 1]]
    )
    np.testing.assert_allclose(weights[1], [0, *softmax(1, 3)], rtol=1e-6)
    np.testing.assert_allclose(weights[2], softmax(0.25, 1, 1), rtol=1e-6)


def test_the_loss_weight_is_a_factor_and_zero_takes_a_task_out() -> None:
    weights = weights_over(SoftAdapt(), [4, 7, 2], [1, 9, 2], loss_weights=[3, 0, 1])
    np.testing.assert_allclose(weights[1], softmax(0.25, 1)[[0, 0, 1]] * [3, 0, 1], rtol=1e-6)


def test_one_task_weighs_its_loss_weight() -> None:
    weights = weights_over(SoftAdapt(), [4], [1e-6], [0], [2], loss_weights=[3])
    np.testing.assert_allclose(weights, 3)


def test_a_loss_of_zero_has_no_ratio_to_follow_it() -> None:
    weights = weights_over(SoftAdapt(), [0, 2], [5, 2], [0, 2])
    np.testing.assert_allclose(weights[:2], 0.5)
    np.testing.assert_allclose(weights[2], softmax(0, 1), rtol=1e-6)


def test_a_loss_that_leaps_takes_all_the_weight() -> None:
    weights = weights_over(SoftAdapt(), [1e-30, 1], [1e30, 1])
    np.testing.assert_allclose(weights[1], [1, 0])


def test_refuses_a_window_of_no_steps() -> None:
    with pytest.raises(ValueError, match="`window` must be at least 1, got 0"):
        SoftAdapt(window=0)
