"""Gradients reduced to their directions: what the exact solvers work on, whatever the units."""

from typing import NamedTuple

from steelyard.arrays import Array, Gramian, ops


class UnitRows(NamedTuple):
    """The tasks' gradients as directions.

    A zero row has no direction: it gets a unit row of its own, at right angles to all others, so
    that it disturbs none of them, and 0 for its inverse norm, so that it comes to weigh nothing.
    """

    cosines: Array  # [K, K] float64
    inverse_norms: Array  # [K] float64
    is_zero: Array  # [K]


def unit_rows(gramian: Gramian) -> UnitRows:
    """Returns the directions of the rows whose inner products [K, K] are given."""
    gramian = ops.cast(gramian, "float64")
    squares = ops.diagonal(gramian)
    is_zero = ops.logical_not(squares > 0)
    inverse_norms = ops.where(is_zero, 0.0, 1.0 / ops.sqrt(ops.where(is_zero, 1.0, squares)))
    cosines = gramian * inverse_norms[:, None] * inverse_norms[None, :]
    identity = ops.eye(gramian.shape[0], dtype="float64")
    cosines = ops.where(identity > 0, 1.0, cosines)  # rounding aside, a row is along itself
    return UnitRows(cosines, inverse_norms, is_zero)
