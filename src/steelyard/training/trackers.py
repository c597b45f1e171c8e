"""What the step keeps beside the network: means over an epoch, and the user's loss weights."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from steelyard.arrays import Array, Named, ops
from steelyard.training.heads import by_head
from steelyard.training.task_losses import TaskLosses, masked
from steelyard.weighting.base import Signals, Weighing

Metrics = Mapping[str, Sequence[keras.metrics.Metric]]  # by head


class VectorMean(keras.metrics.Metric):
    """The weighted mean of a vector [K], entry by entry; 0 where nothing was counted."""

    def __init__(self, size: int, name: str) -> None:
        super().__init__(name=name)
        # One variable and not two: what a small step costs is the number of its operations.
        self.sums = self.add_variable((2, size), initializer="zeros", name="sums")

    def update_state(self, values: Array, counts: Array) -> None:
        """Adds values [K], counted as often as `counts` ([K] or []) says."""
        counts = ops.broadcast_to(ops.cast(counts, "float32"), ops.shape(values))
        self.sums.assign_add(ops.stack([ops.where(counts > 0, values * counts, 0.0), counts]))

    def result(self) -> Array:
        return self.sums[0] / ops.maximum(self.sums[1], 1e-12)

    def told(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns the mean and the counts [K], outside of TensorFlow, which is slow with so few."""
        total, counts = np.asarray(self.sums)
        return np.asarray(total / np.maximum(counts, np.float32(1e-12))), counts


class Means:
    """What is averaged over an epoch for Keras's logs: losses and weights of each head."""

    def __init__(self, heads: Sequence[str]) -> None:
        self.heads = tuple(heads)
        self.losses = VectorMean(len(heads), name="mean_loss")
        self.weights = VectorMean(len(heads), name="mean_weight")
        self.weighted = VectorMean(len(heads), name="mean_weighted_loss")
        self.stationary = VectorMean(1, name="mean_stationary")

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """All means, for Keras to begin anew with each epoch."""
        return [self.losses, self.weights, self.weighted, self.stationary]

    def see_step(self, signals: Signals, weighing: Weighing, n_examples: Array) -> None:
        """Counts what a step of training weighed."""
        self.weights.update_state(weighing.weights, n_examples)
        self.weighted.update_state(weighing.weights * signals.losses, n_examples)
        flag = ops.cast(weighing.is_stationary, "float32")
        self.stationary.update_state(ops.reshape(flag, (1,)), 1.0)

    def see(self, told: TaskLosses, metrics: Metrics, targets: Any, outputs: Named) -> None:
        """Counts what a batch was predicted like."""
        self.losses.update_state(ops.cast(told.losses, "float32"), told.counts)
        targets = by_head("targets", targets, self.heads)
        for head in self.heads:
            target, _ = masked(targets[head])
            for metric in metrics[head]:
                metric.update_state(target, outputs[head], sample_weight=told.known[head])

    def in_test(self, metrics: Metrics, loss_weights: "LossWeights") -> Named:
        """Returns Keras's own log keys; the total is that of the loss weights."""
        total = ops.sum(loss_weights.variable.value * self.losses.result())
        return {"loss": total, **self._of_heads(metrics)}

    def in_training(self, metrics: Metrics) -> Named:
        """Returns Keras's own log keys, and each head's weight and weighted loss."""
        weighted = self.weighted.result()
        logs = {"loss": ops.sum(weighted), **self._of_heads(metrics)}
        weights = ops.unstack(self.weights.result(), len(self.heads))
        parts = ops.unstack(weighted, len(self.heads))
        for head, weight, part in zip(self.heads, weights, parts, strict=True):
            logs[f"{head}_weight"] = weight
            logs[f"{head}_weighted_loss"] = part
        logs["stationary"] = self.stationary.result()[0]
        return logs

    def told(self) -> dict[str, float]:
        """Returns what an epoch of training showed, as `in_training` does but for the metrics."""
        weights, weighted, losses = (
            each.told()[0] for each in (self.weights, self.weighted, self.losses)
        )
        told = {"loss": weighted.sum(), "stationary": self.stationary.told()[0][0]}
        for n, head in enumerate(self.heads):
            told[f"{head}_loss"] = losses[n]
            told[f"{head}_weight"] = weights[n]
            told[f"{head}_weighted_loss"] = weighted[n]
        return {name: float(value) for name, value in told.items()}

    def _of_heads(self, metrics: Metrics) -> Named:
        logs: Named = {}
        losses = ops.unstack(self.losses.result(), len(self.heads))
        for head, loss in zip(self.heads, losses, strict=True):
            logs[f"{head}_loss"] = loss
            for metric in metrics[head]:
                logs[f"{head}_{metric.name}"] = metric.result()
        return logs


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
    """Tells the step which epoch it is in: they are counted on from one `fit` to the next."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.model.diagnosis.begin()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.model.epoch.assign_add(1.0)
