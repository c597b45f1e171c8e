"""Fixed gives back what it was given."""

import numpy as np

from steelyard.weighting.fixed import Fixed
from tests.weighting.signals import signals_of


def test_the_weights_are_the_loss_weights() -> None:
    signals = signals_of(np.eye(3), loss_weights=np.array([0.25, 1, 10]))
    np.testing.assert_array_equal(Fixed().weigh(signals, {}).weights, [0.25, 1, 10])
