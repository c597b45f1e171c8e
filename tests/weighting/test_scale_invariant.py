"""Scale-invariant weights, against one over the loss."""

import numpy as np
import pytest

from steelyard.weighting.scale_invariant import ScaleInvariant
from tests.weighting.steps import weights_over


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_a_loss_weighs_its_inverse_in_any_unit(unit: float) -> None:
    weights = weights_over(ScaleInvariant(), [4 * unit, 0.1], [2 * unit, 0.2])
    np.testing.assert_allclose(weights, [[0.25 / unit, 10], [0.5 / unit, 5]], rtol=1e-5)


def test_the_loss_weight_is_a_factor() -> None:
    weights = weights_over(ScaleInvariant(), [4, 0.1, 9], loss_weights=[3, 0.5, 0])
    np.testing.assert_allclose(weights, [[0.75, 5, 0]], rtol=1e-5)


def test_one_task_weighs_its_inverse() -> None:
    np.testing.assert_allclose(weights_over(ScaleInvariant(), [8]), [[1 / 8]], rtol=1e-5)


def test_a_loss_that_vanishes_weighs_no_more_than_its_start_allows() -> None:
    weights = weights_over(ScaleInvariant(epsilon=1e-3), [2, 1], [0, 1], [2e-3, 1])
    np.testing.assert_allclose(weights[:, 0], [1 / 2.002, 1 / 2e-3, 1 / 4e-3], rtol=1e-5)


def test_a_task_without_labels_weighs_nothing_and_keeps_its_start() -> None:
    method = ScaleInvariant(epsilon=0.5)
    weights = weights_over(
        method, [9, 1], [2, 1], [0, 1], [1, 1], counts=[[0, 1], [1, 1], [0, 1], [1, 1]]
    )
    np.testing.assert_allclose(weights[:, 0], [0, 1 / 3, 0, 1 / 2], rtol=1e-6)
    np.testing.assert_allclose(weights[:, 1], 1 / 1.5, rtol=1e-6)


def test_a_loss_that_was_never_above_zero_weighs_nothing() -> None:
    weights = weights_over(ScaleInvariant(epsilon=0.5), [0, 1], [4, 1])
    np.testing.assert_allclose(weights, [[0, 1 / 1.5], [1 / 6, 1 / 1.5]], rtol=1e-6)


def test_refuses_an_epsilon_of_zero() -> None:
    with pytest.raises(ValueError, match="`epsilon` must be positive, got 0"):
        ScaleInvariant(epsilon=0)
