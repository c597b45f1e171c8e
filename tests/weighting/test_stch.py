"""STCH against numbers worked by hand, and against the gradient of its own objective."""

from typing import Any

import numpy as np
import pytest

from steelyard.weighting.stch import STCH
from tests.weighting.steps import weights_over

# Two epochs of warm-up; the means of the second, 3 and 2, are the nadir.
STEPS = ([8, 1], [4, 2], [2, 2], [1.5, 2], [3, 4])
EPOCHS = [0, 1, 1, 2, 3]


def test_the_warm_up_weighs_one_over_the_loss() -> None:
    weights = weights_over(STCH(warmup_epochs=2), *STEPS, epochs=EPOCHS)
    np.testing.assert_allclose(weights[:3], 1 / np.array(STEPS[:3]), rtol=1e-6)


@pytest.mark.parametrize("mu", [0.01, 0.5, 1.0, 100.0])
def test_the_weights_are_the_slopes_of_the_smooth_maximum(mu: float) -> None:
    weights = weights_over(STCH(warmup_epochs=2, mu=mu), *STEPS, epochs=EPOCHS)
    step = 1e-5
    for losses, found in zip(np.array(STEPS[3:]), weights[3:], strict=True):
        moved = losses + step * np.array([np.eye(2), -np.eye(2)])  # [2, 2, 2]
        scores = np.log(moved / [3, 2]) / mu
        maxima = 2 * mu * np.logaddexp(scores[..., 0], scores[..., 1])
        slopes = (maxima[0] - maxima[1]) / (2 * step)
        np.testing.assert_allclose(found, slopes, rtol=1e-4, atol=1e-8)


def test_the_hand_case() -> None:
    # At mu = 1 the weights are 2 / (z_k * sum_j L_j / z_j), with sums 1/2 + 1 and 1 + 2.
    weights = weights_over(STCH(warmup_epochs=2), *STEPS, epochs=EPOCHS)
    np.testing.assert_allclose(weights[3], [2 / (3 * 1.5), 2 / (2 * 1.5)], rtol=1e-6)
    np.testing.assert_allclose(weights[4], [2 / (3 * 3), 2 / (2 * 3)], rtol=1e-6)


@pytest.mark.parametrize("unit", [1e-6, 1e6])
def test_a_unit_divides_the_weight_after_the_warm_up_too(unit: float) -> None:
    method = STCH(warmup_epochs=2, mu=0.3)
    weights = weights_over(method, *STEPS, epochs=EPOCHS)
    scaled = weights_over(method, *(np.array(STEPS) * [unit, 1]).tolist(), epochs=EPOCHS)
    np.testing.assert_allclose(scaled * [unit, 1], weights, rtol=1e-4)


def test_a_nadir_is_a_mean_over_examples() -> None:
    counts = [[1, 1], [3, 1], [1, 1]]
    weights = weights_over(
        STCH(warmup_epochs=1), [4, 2], [8, 2], [1, 1], counts=counts, epochs=[0, 0, 1]
    )
    left = np.array([1 / 7, 1 / 2])
    np.testing.assert_allclose(weights[-1], 2 * left / left.sum(), rtol=1e-6)


def test_a_task_without_labels_keeps_its_nadir_and_weighs_nothing() -> None:
    counts = [[1, 1], [0, 1], [1, 1], [0, 1], [1, 1]]
    steps = ([4, 9], [0, 2], [1, 1], [0, 1], [1, 1])
    weights = weights_over(STCH(warmup_epochs=2), *steps, counts=counts, epochs=[0, 1, 2, 2, 3])
    left = np.array([1 / 4, 1 / 2])
    np.testing.assert_allclose(weights[2], 2 * left / left.sum(), rtol=1e-6)
    np.testing.assert_allclose(weights[3], [0, 1], rtol=1e-6)
    np.testing.assert_allclose(weights[4], weights[2], rtol=1e-6)


def test_a_task_that_comes_late_gets_its_nadir_from_its_first_epoch() -> None:
    counts = [[0, 1], [1, 1], [1, 1], [1, 1]]
    steps = ([0, 2], [6, 1], [3, 1], [3, 1])
    weights = weights_over(STCH(warmup_epochs=1), *steps, counts=counts, epochs=[0, 1, 2, 3])
    first, later = np.array([1, 1 / 2]), np.array([3 / 6, 1 / 2])
    np.testing.assert_allclose(weights[1], 2 * first / first.sum() / steps[1], rtol=1e-6)
    np.testing.assert_allclose(weights[2:], [2 * later / later.sum() / steps[2]] * 2, rtol=1e-6)


def test_one_task_weighs_its_inverse_before_and_after() -> None:
    steps = ([4], [2], [1e-6])
    weights = weights_over(STCH(warmup_epochs=1), *steps, epochs=[0, 1, 2], loss_weights=[3])
    np.testing.assert_allclose(weights, 3 / np.array(steps), rtol=1e-6)


def test_the_loss_weight_is_a_factor_and_zero_takes_a_task_out() -> None:
    steps = [[loss, 7, other] for loss, other in STEPS]
    given: dict[str, Any] = {"epochs": EPOCHS}
    weights = weights_over(STCH(warmup_epochs=2), *steps, loss_weights=[3, 0, 1], **given)
    plain = weights_over(STCH(warmup_epochs=2), *STEPS, **given)
    np.testing.assert_allclose(weights, plain[:, [0, 0, 1]] * [3, 0, 1], rtol=1e-6)


def test_a_loss_of_zero_weighs_nothing_and_takes_no_share() -> None:
    weights = weights_over(STCH(warmup_epochs=1), [4, 2], [0, 1], [0, 0], epochs=[0, 1, 1])
    np.testing.assert_allclose(weights[1:], [[0, 1], [0, 0]], rtol=1e-6)


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"mu": 0}, "`mu` must be positive, got 0"),
        ({"warmup_epochs": 0}, "`warmup_epochs` must be at least 1, got 0"),
    ],
)
def test_refuses_knobs_of_nothing(knobs: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        STCH(**knobs)
