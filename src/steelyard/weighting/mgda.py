"""MGDA: the shortest vector in the convex hull of the tasks' gradients."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.arrays import Named, ops
from steelyard.weighting._active_rows import active_rows
from steelyard.weighting._cone import cancels
from steelyard.weighting._hull import shortest_in_hull, summed_to_one
from steelyard.weighting.base import Claim, Signals, UseOfLossWeights, Weighing, Weighting


@dataclass(frozen=True, kw_only=True)
class MGDA(Weighting):
    """Multiple-gradient descent: steps along the shortest convex combination of the gradients.

        w = argmin_w ||sum_k w_k g_k||^2,    w >= 0,  sum_k w_k = 1

    where g_k is the gradient of task k on the shared parameters (equation 3). The combination d has
    g_k . d >= ||d||^2 for every task, so to first order no loss rises. It is as short as the
    shortest gradient or shorter: a task whose gradient is small takes nearly all the weight.

    At K = 1 the weight is 1. A zero row weighs 0. Where the rows are Pareto stationary d is zero,
    the weights are those of EDM, and the step is flagged.

    Departs from the paper: solved exactly, on unit rows, where the paper (Algorithm 2) and other
    implementations take Frank-Wolfe steps; a zero gradient does not stop the others; gradients
    are taken on the shared parameters, not on their output (the paper's MGDA-UB); the tasks' loss
    weights are ignored, but for 0, which takes a task out.
    """

    paper: ClassVar[str] = "sener2018multi"
    claims: ClassVar = frozenset(
        {Claim.CONVEX, Claim.SUMS_TO_ONE, Claim.EQUIVARIANT, Claim.NON_CONFLICTING}
    )
    needs_gramian: ClassVar[bool] = True
    loss_weights: ClassVar[UseOfLossWeights] = "ignored"

    def weigh(self, signals: Signals, memory: Named) -> Weighing:
        rows = active_rows(signals)
        even = ops.cast(rows.is_present, "float64")
        pulls = shortest_in_hull(rows.cosines, ops.stack([rows.inverse_norms, even]))  # [2, K]
        is_stationary = cancels(rows.cosines, pulls[1])
        chosen = ops.where(is_stationary, pulls[1], pulls[0])
        weights = summed_to_one(chosen * rows.inverse_norms)
        return Weighing(ops.cast(weights, signals.losses.dtype), memory, is_stationary)
