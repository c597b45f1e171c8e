"""GLS against the gradient of a geometric mean."""

import numpy as np
import pytest

from steelyard.weighting.gls import GLS
from tests.weighting.steps import weights_over


def test_the_hand_case() -> None:
    # The mean is sqrt(4 * 1) = 2, so the weights are 2 / (2 * 4) and 2 / (2 * 1).
    np.testing.assert_allclose(weights_over(GLS(), [4, 1]), [[0.25, 1]], rtol=1e-6)


def test_the_weights_are_the_slopes_of_the_geometric_mean() -> None:
    losses, step = np.array([0.3, 7.0, 2.0]), 1e-5
    moved = losses + step * np.array([np.eye(3), -np.eye(3)])  # [2, 3, 3]
    means = np.prod(moved, axis=-1) ** (1 / 3)
    slopes = (means[0] - means[1]) / (2 * step)
    np.testing.assert_allclose(weights_over(GLS(), losses.tolist())[0], slopes, rtol=1e-5)


@pytest.mark.parametrize("unit", [1e-6, 1e6])
def test_products_that_float32_cannot_hold_are_no_trouble(unit: float) -> None:
    losses = [unit] * 8
    np.testing.assert_allclose(weights_over(GLS(), losses), [[1 / 8] * 8], rtol=1e-5)


def test_weighted_losses_are_equal_at_any_ratio() -> None:
    losses = np.array([1e-6, 1e6])
    np.testing.assert_allclose(weights_over(GLS(), losses.tolist())[0] * losses, 0.5, rtol=1e-5)


def test_one_task_weighs_its_loss_weight() -> None:
    np.testing.assert_allclose(weights_over(GLS(), [8], loss_weights=[3]), [[3]], rtol=1e-6)


def test_the_loss_weight_is_a_factor_and_zero_takes_a_task_out() -> None:
    weights = weights_over(GLS(), [4, 9, 1], loss_weights=[3, 0, 1])
    np.testing.assert_allclose(weights, [[0.75, 0, 1]], rtol=1e-6)


@pytest.mark.parametrize("counts", [[1, 0, 1], [1, 1, 1]])
def test_a_task_of_loss_zero_or_without_labels_is_left_out(counts: list[float]) -> None:
    weights = weights_over(GLS(), [4, 0, 1], counts=[counts])
    np.testing.assert_allclose(weights, [[0.25, 0, 1]], rtol=1e-6)


def test_losses_that_are_all_zero_weigh_nothing() -> None:
    np.testing.assert_array_equal(weights_over(GLS(), [0, 0]), [[0, 0]])
