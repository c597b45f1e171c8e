"""EDM: the direction that descends on every task equally fast, whatever their units."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.arrays import Named, ops
from steelyard.weighting._active_rows import active_rows
from steelyard.weighting._cone import cancels
from steelyard.weighting._hull import shortest_in_hull, summed_to_one
from steelyard.weighting.base import Claim, Signals, UseOfLossWeights, Weighing, Weighting


@dataclass(frozen=True, kw_only=True)
class EDM(Weighting):
    """Equiangular directions: MGDA on the gradients' directions, at the length of a mean gradient.

        x = argmin_x ||sum_k x_k g_k / ||g_k|| ||^2,    x >= 0,  sum_k x_k = 1
        w_k = (x_k / ||g_k||) / sum_j (x_j / ||g_j||)

    where g_k is the gradient of task k on the shared parameters. The combination makes the same
    angle with every gradient that has a weight, and a smaller one with any that has none, so to
    first order no loss rises. Multiplying a task's loss by a constant changes the length of the
    combination, and not its direction.

    At K = 1 the weight is 1. A zero row weighs 0. Where the rows are Pareto stationary the
    combination is zero, and the step is flagged.

    Departs from the paper: solved exactly; the tasks' loss weights are ignored, but for 0, which
    takes a task out.
    """

    paper: ClassVar[str] = "katrutsa2020follow"
    claims: ClassVar = frozenset(
        {
            Claim.CONVEX,
            Claim.SUMS_TO_ONE,
            Claim.EQUIVARIANT,
            Claim.SCALE_FREE_DIRECTION,
            Claim.NON_CONFLICTING,
        }
    )
    needs_gramian: ClassVar[bool] = True
    loss_weights: ClassVar[UseOfLossWeights] = "ignored"

    def weigh(self, signals: Signals, memory: Named) -> Weighing:
        rows = active_rows(signals)
        even = ops.cast(rows.is_present, "float64")
        pulls = shortest_in_hull(rows.cosines, even[None, :])[0]
        weights = summed_to_one(pulls * rows.inverse_norms)
        is_stationary = cancels(rows.cosines, pulls)
        return Weighing(ops.cast(weights, signals.losses.dtype), memory, is_stationary)
