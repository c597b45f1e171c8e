"""The gradients that take part in a step, each as a length and a direction."""

from typing import NamedTuple

from steelyard.arrays import Array, ops
from steelyard.weighting._unit_rows import unit_rows
from steelyard.weighting.base import Signals


class ActiveRows(NamedTuple):
    """The gradients of the active tasks.

    A task that takes no part (it is not active, or its gradient is zero or not finite) has length
    0, inverse length 0, and a direction at right angles to all others.
    """

    cosines: Array  # [K, K] float64
    norms: Array  # [K] float64
    inverse_norms: Array  # [K] float64
    is_present: Array  # [K]


def active_rows(signals: Signals) -> ActiveRows:
    """Returns the gradients of the tasks that are active in a step."""
    gramian = ops.cast(signals.gramian, "float64")
    squares = ops.diagonal(gramian)
    is_sound = ops.logical_and(squares > 0, ops.isfinite(squares))
    is_present = ops.logical_and(signals.is_active, is_sound)
    both = ops.logical_and(is_present[:, None], is_present[None, :])
    rows = unit_rows(ops.where(both, gramian, 0.0))
    norms = ops.sqrt(ops.where(is_present, squares, 0.0))
    return ActiveRows(rows.cosines, norms, rows.inverse_norms, is_present)
