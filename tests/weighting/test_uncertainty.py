"""Uncertainty weighting against its fixed points, for each kind of loss."""

import keras
import numpy as np
import pytest

from steelyard.weighting.uncertainty import Uncertainty
from tests.weighting.signals import signals_of


@pytest.mark.parametrize(
    ("kind", "start", "rest"),
    [
        ("squared", 0.5, 1 / (2 * 5.0)),  # exp(s) = L, so w = 1 / (2 L)
        ("absolute", 1.0, 1 / 5.0),  # exp(s) = L, so w = 1 / L
        ("entropy", 1.0, 1 / (2 * 5.0)),  # exp(s) = 2 L, so w = 1 / (2 L)
    ],
)
def test_the_weight_comes_to_rest_where_the_likelihood_says(
    kind: str, start: float, rest: float
) -> None:
    method = Uncertainty()
    signals = signals_of(np.eye(1), losses=np.array([5.0], "float32"), kinds=(kind,))
    value = keras.Variable([0.0])
    optimizer = keras.optimizers.Adam(0.05)

    def weight() -> float:
        answer = method.weigh(signals, {"log_noise": value.value})
        return float(np.asarray(answer.weights)[0])

    def slope() -> np.ndarray:
        step = 1e-2
        ends = []
        for moved in (value + step, value - step):
            memory = {"log_noise": moved}
            ends.append(method.lesson(signals, memory))
        return (ends[0] - ends[1]) / (2 * step)

    assert weight() == pytest.approx(start)
    for _ in range(400):
        optimizer.apply([slope()], [value])
    assert weight() == pytest.approx(rest, rel=1e-2)


def test_the_loss_weight_is_a_factor() -> None:
    signals = signals_of(np.eye(2), loss_weights=np.array([3.0, 0]), kinds=("entropy", "squared"))
    memory = Uncertainty().remember(2)
    np.testing.assert_allclose(Uncertainty().weigh(signals, memory).weights, [3, 0])


def test_refuses_a_bound_of_zero() -> None:
    with pytest.raises(ValueError, match="`bound` must be positive, got 0"):
        Uncertainty(bound=0)
