"""DualProj: the mean gradient, turned until it harms no task."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.arrays import Named, ops
from steelyard.weighting._active_rows import active_rows
from steelyard.weighting._cone import cancels, least_in_cone
from steelyard.weighting._hull import in_units_of_the_largest
from steelyard.weighting._mean_gradient import pulls_of_the_mean
from steelyard.weighting.base import Claim, Signals, UseOfLossWeights, Weighing, Weighting


@dataclass(frozen=True, kw_only=True)
class DualProj(Weighting):
    """Dual cone projection: the nearest vector to the mean gradient that works against no task.

        d = argmin_x ||x - sum_k p_k g_k||    over g_j . x >= 0, all j

    where g_k is the gradient of task k on the shared parameters and p_k its share of the loss
    weights. Then d = sum_k w_k g_k, where w minimises ||d|| over w >= p.

    A mean gradient that no task objects to is left as it is. No loss rises, to first order; a
    task that the mean would harm comes to rest. At K = 1 the weight is 1. A zero row weighs 0,
    and the others share its p. Where rows cancel altogether, d is next to nothing and the step is
    flagged.

    Departs from the paper: solved exactly, on unit rows; the paper projects the gradient of the
    task at hand, with the gradients of earlier tasks as the constraints, and this the mean of all.
    """

    paper: ClassVar[str] = "lopezpaz2017gradient"
    claims: ClassVar = frozenset({Claim.EQUIVARIANT, Claim.NON_CONFLICTING})
    needs_gramian: ClassVar[bool] = True
    loss_weights: ClassVar[UseOfLossWeights] = "share"

    def weigh(self, signals: Signals, memory: Named) -> Weighing:
        rows = active_rows(signals)
        mean = pulls_of_the_mean(signals, rows)
        unit = ops.max(mean)
        start = in_units_of_the_largest(mean)
        objections = -ops.matmul(rows.cosines, start[:, None])[:, 0]
        pulls = start + least_in_cone(rows.cosines[None, :, :], objections[None, :])[0]
        weights = ops.cast(unit * pulls * rows.inverse_norms, signals.losses.dtype)
        return Weighing(weights, memory, cancels(rows.cosines, pulls))
