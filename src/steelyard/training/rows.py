"""The tasks' gradients as rows: repeated ones summed, multiplied with each other, and combined."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from steelyard.arrays import Array, Gramian, Weights

Gradient = Any  # a tensor, `tf.IndexedSlices`, or None where a loss does not reach a variable


def summed(gradient: Gradient) -> Gradient:
    """Returns a gradient in which no row of an embedding stands twice.

    A batch's embedding gradient has a row for every token. Optimizers that square it need the
    square of the sum, not the sum of the squares, so repeated rows are summed first.
    """
    if not isinstance(gradient, tf.IndexedSlices):
        return gradient
    rows, place = tf.unique(gradient.indices)
    values = tf.cond(
        tf.size(rows) == tf.size(place),  # summed already
        lambda: gradient.values,
        lambda: tf.math.unsorted_segment_sum(gradient.values, place, tf.size(rows)),
    )
    return tf.IndexedSlices(values, rows, gradient.dense_shape)


def multiplied(gradient: Gradient, factor: Array) -> Gradient:
    """Returns a gradient times a number []; an embedding's stays sparse."""
    return (
        None if gradient is None else tf.math.scalar_mul(tf.cast(factor, gradient.dtype), gradient)
    )


class Rows(NamedTuple):
    """The gradients of K tasks on one shared variable."""

    matrix: tf.Tensor  # [K, P]
    shape: tf.Tensor  # of one gradient
    places: tf.Tensor | None = None  # of an embedding's rows, where the gradient is sparse
    dense_shape: tf.Tensor | None = None  # of the embedding

    def gramian(self) -> Gramian:
        """Returns the inner products of the rows [K, K], in float64."""
        exact = tf.cast(self.matrix, tf.float64)  # products first would round cosines near 1 and -1
        return tf.matmul(exact, exact, transpose_b=True)

    def combined(self, weights: Weights) -> Gradient:
        """Returns the weighted sum of the rows, in the variable's own shape."""
        flat = tf.linalg.matvec(self.matrix, tf.cast(weights, self.matrix.dtype), transpose_a=True)
        values = tf.reshape(flat, self.shape)
        if self.places is None:
            return values
        return tf.IndexedSlices(values, self.places, self.dense_shape)


def rows_of(gradients: Sequence[Gradient]) -> Rows:
    """Returns the rows of K tasks' gradients on one variable; a missing gradient is a zero row."""
    given = next(gradient for gradient in gradients if gradient is not None)
    if all(each is None or isinstance(each, tf.IndexedSlices) for each in gradients):
        return _sparse_rows(gradients, given)
    filled = [
        tf.zeros_like(given) if each is None else tf.convert_to_tensor(each) for each in gradients
    ]
    matrix = tf.stack([tf.reshape(each, [-1]) for each in filled])
    return Rows(matrix, tf.shape(given))


def _sparse_rows(gradients: Sequence[Gradient], given: tf.IndexedSlices) -> Rows:
    """Returns the rows over the places of an embedding that any task touches."""
    n_tasks = len(gradients)
    known = [(k, each) for k, each in enumerate(gradients) if each is not None]
    places, place = tf.unique(tf.concat([each.indices for _, each in known], axis=0))
    n_places = tf.size(places)
    sizes = [tf.size(each.indices) for _, each in known]
    owner = tf.repeat(tf.constant([k for k, _ in known]), tf.stack(sizes))
    values = tf.concat([each.values for _, each in known], axis=0)
    table = tf.math.unsorted_segment_sum(values, owner * n_places + place, n_tasks * n_places)
    width = tf.shape(table)[1:]
    matrix = tf.reshape(table, [n_tasks, -1])
    return Rows(matrix, tf.concat([[n_places], width], axis=0), places, given.dense_shape)
