"""IMTL-G: the combination of the gradients that projects equally on each of them."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.arrays import Named, ops
from steelyard.weighting._active_rows import active_rows
from steelyard.weighting._pseudo_inverse import with_projections
from steelyard.weighting.base import Claim, Signals, UseOfLossWeights, Weighing, Weighting


@dataclass(frozen=True, kw_only=True)
class IMTLG(Weighting):
    """Impartial learning of the shared parameters: every task gains the same per unit of gradient.

        u_k . d  is the same for every k,    d = sum_k w_k g_k,    sum_k |w_k| = 1

    where g_k is the gradient of task k on the shared parameters and u_k = g_k / ||g_k|| (equations
    1 and 2). With C the cosines of the gradients, w_k is in proportion to x_k / ||g_k||, C x = 1:
    two tasks weigh in inverse proportion to their lengths. The direction of d does not see units;
    its length does, since the weights sum to one.

    At K = 1 the weight is 1. A zero row weighs 0. From three tasks on a weight may be negative.
    Dependent rows get the least x, so that duplicates share their weight. Rows that no vector can
    serve equally get the x that comes nearest, or 1 each where that is zero, and the step is
    flagged as stationary.

    Departs from the paper: there the weights themselves sum to one, here their sizes do, which is
    the same as long as none is negative. Where one is, the sum of the weights may come close to
    zero, which makes the step as long as you like, or fall below it, which turns the step uphill
    for every task. The tasks' loss weights are ignored, but for 0, which takes a task out.
    """

    paper: ClassVar[str] = "liu2021towards"
    claims: ClassVar = frozenset({Claim.EQUIVARIANT, Claim.SCALE_FREE_DIRECTION})
    needs_gramian: ClassVar[bool] = True
    loss_weights: ClassVar[UseOfLossWeights] = "ignored"

    def weigh(self, signals: Signals, memory: Named) -> Weighing:
        rows = active_rows(signals)
        wanted = ops.cast(rows.is_present, "float64")
        found = with_projections(rows.cosines, wanted)
        weights = found.x * rows.inverse_norms
        total = ops.sum(ops.abs(weights))
        weights = weights / ops.where(total > 0, total, 1.0)
        is_stationary = ops.logical_or(found.is_unsolved, found.is_cancelled)
        return Weighing(ops.cast(weights, signals.losses.dtype), memory, is_stationary)
