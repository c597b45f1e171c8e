"""ConFIG: the direction at the same angle to every gradient, as long as they agree on it."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.arrays import Named, ops
from steelyard.weighting._active_rows import active_rows
from steelyard.weighting._pseudo_inverse import with_projections
from steelyard.weighting.base import Claim, Signals, UseOfLossWeights, Weighing, Weighting


@dataclass(frozen=True, kw_only=True)
class ConFIG(Weighting):
    """Conflict-free inverse gradients: equal cosines with every task's gradient.

        v = U^+ p / ||U^+ p||,    d = (sum_k g_k . v) v

    where g_k is the gradient of task k on the shared parameters, U^+ the pseudo-inverse of the
    matrix whose rows are the g_k / ||g_k||, and p_k the loss weights: the cosines of d with the
    gradients are in proportion to them, so equal ones make equal cosines. As long as U has full
    rank, no task conflicts with d. The direction of d does not see units; its length, the sum of
    the gradients' projections on it, does. With C the cosines of the gradients and C x = p, w_k is
    in proportion to x_k / ||g_k||.

    At K = 1 the weight is 1. A zero row weighs 0. Dependent rows get the least x, so that
    duplicates share their weight. Rows that no vector can serve so get the x that comes nearest,
    or p where that is zero, and the step is flagged as stationary.

    Departs from the paper: none; p is the paper's direction weights, which are 1 there. The
    variant with momentum, which takes one gradient a step, is another method.
    """

    paper: ClassVar[str] = "liu2025config"
    claims: ClassVar = frozenset({Claim.EQUIVARIANT, Claim.SCALE_FREE_DIRECTION})
    needs_gramian: ClassVar[bool] = True
    loss_weights: ClassVar[UseOfLossWeights] = "share"

    def weigh(self, signals: Signals, memory: Named) -> Weighing:
        rows = active_rows(signals)
        wanted = ops.where(rows.is_present, ops.cast(signals.loss_weights, "float64"), 0.0)
        found = with_projections(rows.cosines, wanted)
        square = ops.sum(found.x * found.projections)  # of ||U^T x||
        agreed = ops.sum(rows.norms * found.projections)  # sum_k g_k . U^T x
        # Where the terms cancel there is no v; any finite multiple of them is as short.
        is_long = ops.logical_and(square > 0, ops.logical_not(found.is_cancelled))
        instead = ops.sum(rows.norms) / ops.maximum(ops.sum(wanted), 1e-300)
        scale = ops.where(is_long, agreed / ops.where(is_long, square, 1.0), instead)
        weights = scale * found.x * rows.inverse_norms
        is_stationary = ops.logical_or(found.is_unsolved, found.is_cancelled)
        return Weighing(ops.cast(weights, signals.losses.dtype), memory, is_stationary)
