"""Why a head wins or loses: the lengths and the angles of the heads' gradients, over an epoch."""

from collections.abc import Sequence
from itertools import combinations

import keras
import tensorflow as tf

from steelyard.arrays import Array, Gramian, Weights, ops
from steelyard.training.trackers import VectorMean
from steelyard.weighting.base import Signals

SMALLEST = 1e-12  # of an eigenvalue, as a part of the largest: rounding alone below it


class Diagnosis(keras.layers.Layer):
    """Means over an epoch of what the Gramian of the heads' gradients tells.

    A method that compares gradients shows its Gramian in every step that it is asked. For one
    that looks at losses alone, the gradients are measured in the first step of an epoch and in
    every so many after it; that changes nothing but the time.

    Args:
        heads: The heads' names.
        every: Steps between two measurements; 0 makes none.
    """

    def __init__(self, heads: Sequence[str], every: int) -> None:
        super().__init__(name="diagnosis", dtype="float32")
        self.heads, self.every = tuple(heads), every
        self.pairs = list(combinations(range(len(heads)), 2))
        self.step = keras.Variable(0, trainable=False, dtype="int32", name="step_of_epoch")
        n_heads, n_pairs = len(self.heads), max(len(self.pairs), 1)
        self.norms = VectorMean(n_heads, name="gradient_norm")
        self.shares = VectorMean(n_heads, name="gradient_share")
        self.cosines = VectorMean(n_pairs, name="cosine")
        self.similarities = VectorMean(n_pairs, name="magnitude_similarity")
        self.conflicts = VectorMean(n_pairs, name="conflict_rate")
        self.conditions = VectorMean(1, name="condition_number")
        of_pairs = [self.cosines, self.similarities, self.conflicts]
        self.means = [self.norms, self.shares, *of_pairs, self.conditions]
        self.built = True

    @property
    def state(self) -> list[keras.Variable]:
        """All variables."""
        return [self.step, *(each for mean in self.means for each in mean.variables)]

    def begin(self) -> None:
        """Begins an epoch. Keras would begin anew with its validation, before anyone has looked."""
        for mean in self.means:
            mean.reset_state()
        self.step.assign(0)

    @property
    def is_due(self) -> Array:
        """Whether this step is one to measure."""
        return tf.convert_to_tensor(self.step.value) % max(self.every, 1) == 0

    def see(self, gramian: Gramian, weights: Weights, signals: Signals) -> Array:
        """Counts what the Gramian [K, K] of a step tells, and returns that it did."""
        if not self.every:
            return tf.constant(False)
        squares = ops.diagonal(gramian)
        is_sound = ops.logical_and(signals.is_active, ops.isfinite(squares))
        norms = ops.sqrt(ops.where(is_sound, squares, 0.0))
        weighted = norms * ops.cast(ops.abs(weights), "float64")
        total = ops.sum(weighted)
        self._count(self.norms, norms, is_sound)
        has_total = ops.logical_and(is_sound, total > 0)
        self._count(self.shares, weighted / ops.where(total > 0, total, 1.0), has_total)
        has_row = ops.logical_and(is_sound, norms > 0)
        if self.pairs:
            self._see_pairs(gramian, norms, has_row)
        return tf.constant(True)

    def _see_pairs(self, gramian: Gramian, norms: Array, has_row: Array) -> None:
        one = ops.convert_to_tensor([i for i, _ in self.pairs])
        other = ops.convert_to_tensor([j for _, j in self.pairs])
        both = ops.logical_and(ops.take(has_row, one), ops.take(has_row, other))
        safe = ops.where(has_row, norms, 1.0)
        left, right = ops.take(safe, one), ops.take(safe, other)
        units = tf.where(tf.math.is_finite(gramian), gramian, 0.0) / (safe[:, None] * safe[None, :])
        cosines = tf.gather_nd(units, tf.stack([one, other], axis=1))
        self._count(self.cosines, cosines, both)
        self._count(self.similarities, 2 * left * right / (left**2 + right**2), both)
        self._count(self.conflicts, ops.cast(cosines < 0, "float64"), both)
        self.conditions.update_state(*_condition(gramian, has_row))

    def _count(self, mean: VectorMean, values: Array, is_known: Array) -> None:
        mean.update_state(ops.cast(values, "float32"), ops.cast(is_known, "float32"))

    def told(self) -> dict[str, float]:
        """Returns what the epoch showed, by `<head>/<measure>` and `<head> and <head>/<measure>`.

        What was not measured is left out.
        """
        names = list(self.heads)
        pairs = [f"{names[i]} and {names[j]}" for i, j in self.pairs]
        found: dict[str, float] = {}
        for mean, owners in (
            (self.norms, names),
            (self.shares, names),
            (self.cosines, pairs),
            (self.similarities, pairs),
            (self.conflicts, pairs),
        ):
            values, counts = mean.told()
            for owner, value, count in zip(owners, values, counts, strict=False):
                if count > 0:
                    found[f"{owner}/{mean.name}"] = float(value)
        (condition,), (count,) = self.conditions.told()
        if count > 0:
            found[self.conditions.name] = float(condition)
        return found


def _condition(gramian: Gramian, has_row: Array) -> tuple[Array, Array]:
    """Returns the ratio [1] of the rows' largest to their smallest singular value, and its count.

    It is cut off at a million, where the rows are one line, or cancel, as far as rounding tells.
    """
    both = ops.logical_and(has_row[:, None], has_row[None, :])
    n_rows = ops.sum(ops.cast(has_row, "int32"))
    values = tf.linalg.eigvalsh(tf.where(both, gramian, 0.0))  # ascending; absent rows give zeros
    largest = values[-1]
    is_known = ops.logical_and(n_rows > 1, largest > 0)
    first = ops.where(is_known, values.shape[0] - n_rows, 0)
    smallest = ops.maximum(tf.gather(values, first), SMALLEST * largest)
    ratio = ops.sqrt(largest / ops.where(is_known, smallest, 1.0))
    counted = ops.reshape(ops.cast(is_known, "float32"), (1,))
    return ops.reshape(ops.cast(ratio, "float32"), (1,)), counted
