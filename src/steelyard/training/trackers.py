"""What the step keeps beside the network: means over an epoch, loss weights, the epoch."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras

from steelyard.arrays import Array, ops


class VectorMean(keras.metrics.Metric):
    """The weighted mean of a vector [K], entry by entry; 0 where nothing was counted."""

    def __init__(self, size: int, name: str) -> None:
        super().__init__(name=name)
        self.total = self.add_variable((size,), initializer="zeros", name="total")
        self.count = self.add_variable((size,), initializer="zeros", name="count")

    def update_state(self, values: Array, counts: Array) -> None:
        """Adds values [K], counted as often as `counts` ([K] or []) says."""
        counts = ops.broadcast_to(ops.cast(counts, "float32"), ops.shape(values))
        self.total.assign_add(ops.where(counts > 0, values * counts, 0.0))
        self.count.assign_add(counts)

    def result(self) -> Array:
        return self.total / ops.maximum(self.count, 1e-12)


class LossWeights:
    """The user's weight of each head, in a variable: it can change while the model trains."""

    def __init__(self, heads: Sequence[str], variable: keras.Variable) -> None:
        self.heads = tuple(heads)
        self.variable = variable

    def as_dict(self) -> dict[str, float]:
        """Returns each head's weight."""
        values = keras.ops.convert_to_numpy(self.variable.value)
        return {head: float(value) for head, value in zip(self.heads, values, strict=True)}

    def assign(self, weights: Mapping[str, float], others: float | None = None) -> None:
        """Sets the weights of the heads that are named.

        Args:
            weights: By head.
            others: The weight of the heads that are not named; they keep theirs where it is None.

        Raises:
            ValueError: A head is unknown, a weight is negative or not finite, or all are 0.
        """
        now = self.as_dict() if others is None else dict.fromkeys(self.heads, others)
        for head, weight in weights.items():
            if head not in self.heads:
                raise ValueError(
                    f"`loss_weights` must name the heads {', '.join(self.heads)}, got {head!r}."
                )
            if not (math.isfinite(weight) and weight >= 0):
                raise ValueError(
                    f"`loss_weights.{head}` must be a finite number of at least 0, got {weight}."
                )
            now[head] = float(weight)
        if not any(now.values()):
            raise ValueError("`loss_weights` must not all be 0, got 0 for every head.")
        self.variable.assign([now[head] for head in self.heads])


class EpochCounter(keras.callbacks.Callback):
    """Tells the step which epoch it is in."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.model.epoch.assign(float(epoch))
