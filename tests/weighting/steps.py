"""Steps of a training, made by hand for methods that look at losses alone."""

from collections.abc import Sequence

import numpy as np

from steelyard.weighting.base import Weighting
from tests.weighting.signals import signals_of


def weights_over(
    method: Weighting,
    *steps: Sequence[float],
    counts: Sequence[Sequence[float]] | None = None,
    epochs: Sequence[int] | None = None,
    loss_weights: Sequence[float] | None = None,
) -> np.ndarray:
    """Returns the weights [steps, K] that a method gives, one step after the other.

    Args:
        method: What is asked.
        steps: The losses [K] of each step.
        counts: The labelled examples [K] of each step; one each by default.
        epochs: The epoch of each step; all in the first by default.
        loss_weights: The user's [K]; 1 by default.
    """
    n_tasks = len(steps[0])
    memory = method.remember(n_tasks)
    given = []
    for n, losses in enumerate(steps):
        signals = signals_of(
            np.eye(n_tasks),
            losses=np.array(losses, "float32"),
            counts=np.array(counts[n] if counts else np.ones(n_tasks), "float32"),
            loss_weights=np.array(loss_weights or np.ones(n_tasks), "float32"),
            epoch=np.float32(epochs[n] if epochs else 0),
        )
        answer = method.weigh(signals, memory)
        given.append(np.asarray(answer.weights))
        memory = answer.memory
    return np.stack(given)


def softmax(*scores: float) -> np.ndarray:
    """Returns the softmax [K] of some numbers."""
    powers = np.exp(np.array(scores) - max(scores))
    return powers / powers.sum()
