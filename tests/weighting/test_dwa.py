"""DWA over three epochs, against numbers worked by hand."""

from typing import Any

import numpy as np
import pytest

from steelyard.weighting.dwa import DWA
from tests.weighting.signals import signals_of


def carried(*epochs: list[list[float]], **changes: Any) -> np.ndarray:
    """Returns the weights of the last step after epochs of steps of losses."""
    memory = DWA().remember(2)
    weights = np.zeros(2)
    for epoch, steps in enumerate(epochs):
        for losses in steps:
            signals = signals_of(
                np.eye(2),
                losses=np.array(losses, "float32"),
                epoch=np.float32(epoch),
                **changes,
            )
            answer = DWA().weigh(signals, memory)
            weights, memory = np.asarray(answer.weights), answer.memory
    return weights


def test_the_first_two_epochs_are_even() -> None:
    np.testing.assert_allclose(carried([[4, 1], [2, 1]], [[1, 1]]), [1, 1])


def test_a_loss_that_falls_more_slowly_weighs_more() -> None:
    # Means 4 and 2 fall to 1 and 2: ratios 1/4 and 1; weights 2 softmax(1/8, 1/2).
    weights = carried([[6, 3], [2, 1]], [[1, 2]], [[9, 9]])
    expected = 2 * np.exp([0.125, 0.5]) / np.exp([0.125, 0.5]).sum()
    np.testing.assert_allclose(weights, expected, rtol=1e-6)


def test_units_do_not_matter() -> None:
    weights = carried([[6e3, 3], [2e3, 1]], [[1e3, 2]], [[9, 9]])
    np.testing.assert_allclose(weights, carried([[6, 3], [2, 1]], [[1, 2]], [[9, 9]]), rtol=1e-6)


def test_a_task_that_is_not_trained_takes_no_share() -> None:
    weights = carried([[6, 3]], [[1, 2]], [[9, 9]], loss_weights=np.array([0.0, 1.0]))
    np.testing.assert_allclose(weights, [0, 1])


def test_a_batch_without_labels_does_not_count() -> None:
    memory = DWA().remember(2)
    signals = signals_of(np.eye(2), losses=np.array([5.0, 0]), counts=np.array([4.0, 0]))
    memory = DWA().weigh(signals, memory).memory
    np.testing.assert_allclose(memory["total"], [20, 0])
    np.testing.assert_allclose(memory["count"], [4, 0])


def test_refuses_a_temperature_of_zero() -> None:
    with pytest.raises(ValueError, match="`temperature` must be positive, got 0"):
        DWA(temperature=0)


def test_a_task_without_labels_in_an_epoch_has_no_ratio_yet() -> None:
    memory = DWA().remember(2)
    for epoch, losses, counts in ((0, [1000, 4], [8, 8]), (1, [0, 4], [0, 8]), (2, [9, 4], [8, 8])):
        signals = signals_of(
            np.eye(2), losses=np.array(losses), counts=np.array(counts), epoch=np.float32(epoch)
        )
        answer = DWA().weigh(signals, memory)
        memory = answer.memory
    np.testing.assert_allclose(answer.weights, [1, 1], rtol=1e-6)
