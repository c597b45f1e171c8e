"""The mean gradient that some methods start from, as pulls along the unit rows."""

from steelyard.arrays import Array, ops
from steelyard.weighting._active_rows import ActiveRows
from steelyard.weighting._hull import summed_to_one
from steelyard.weighting.base import Signals


def pulls_of_the_mean(signals: Signals, rows: ActiveRows) -> Array:
    """Returns p_k ||g_k|| [K], with p_k the share of task k in the loss weights.

    Tasks that take no part have no share, and the others' shares sum to one.
    """
    loss_weights = ops.cast(signals.loss_weights, "float64")
    return summed_to_one(ops.where(rows.is_present, loss_weights, 0.0)) * rows.norms
