"""UW-SO against softmaxes worked by hand."""

import numpy as np
import pytest

from steelyard.weighting.uw_so import UWSO
from tests.weighting.steps import softmax, weights_over


@pytest.mark.parametrize("temperature", [0.5, 1.0, 20.0])
def test_the_weights_are_a_softmax_of_inverses(temperature: float) -> None:
    weights = weights_over(UWSO(temperature=temperature), [1, 2, 4])
    expected = softmax(1 / temperature, 1 / (2 * temperature), 1 / (4 * temperature))
    np.testing.assert_allclose(weights, [expected], rtol=1e-6)


def test_units_matter() -> None:
    np.testing.assert_allclose(weights_over(UWSO(), [1e-6, 1e6]), [[1, 0]])
    np.testing.assert_allclose(weights_over(UWSO(), [1e6, 1e6 + 1]), [[0.5, 0.5]])


def test_a_small_temperature_overflows_nowhere() -> None:
    weights = weights_over(UWSO(temperature=1e-20), [1e-25, 2, 1e-25])
    np.testing.assert_allclose(weights, [[0.5, 0, 0.5]])


def test_one_task_weighs_its_loss_weight() -> None:
    np.testing.assert_allclose(weights_over(UWSO(), [1e-6], loss_weights=[3]), [[3]])


def test_the_loss_weight_is_a_factor_and_zero_takes_a_task_out() -> None:
    weights = weights_over(UWSO(), [1, 0.1, 2], loss_weights=[3, 0, 1])
    np.testing.assert_allclose(weights, [softmax(1, 0.5)[[0, 0, 1]] * [3, 0, 1]], rtol=1e-6)


@pytest.mark.parametrize("counts", [[1, 0, 1], [1, 1, 1]])
def test_a_task_of_loss_zero_or_without_labels_takes_no_share(counts: list[float]) -> None:
    weights = weights_over(UWSO(), [1, 0, 2], counts=[counts])
    np.testing.assert_allclose(weights, [softmax(1, 0.5)[[0, 0, 1]] * [1, 0, 1]], rtol=1e-6)


def test_losses_that_are_all_zero_weigh_nothing() -> None:
    np.testing.assert_array_equal(weights_over(UWSO(), [0, 0]), [[0, 0]])


def test_refuses_a_temperature_of_zero() -> None:
    with pytest.raises(ValueError, match="`temperature` must be positive, got 0"):
        UWSO(temperature=0)
