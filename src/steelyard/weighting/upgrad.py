"""UPGrad: each gradient is turned until it harms no task, and then they are averaged."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.arrays import Named, ops
from steelyard.weighting._active_rows import active_rows
from steelyard.weighting._cone import cancels, least_in_cone
from steelyard.weighting._mean_gradient import pulls_of_the_mean
from steelyard.weighting.base import Claim, Signals, UseOfLossWeights, Weighing, Weighting


@dataclass(frozen=True, kw_only=True)
class UPGrad(Weighting):
    """Unconflicting projection of gradients: no task's gradient may work against another task.

        d = sum_k p_k project(g_k),    project(g) = argmin_x ||x - g||    over g_j . x >= 0, all j

    where g_k is the gradient of task k on the shared parameters and p_k its share of the loss
    weights (equations 3 and 4). The projection of g_k is sum_j v_j g_j, where v minimises
    ||sum_j v_j g_j|| over v >= e_k (equation 5), and the weights are the sum of these v, weighted
    by p.

    Gradients that do not conflict are averaged. No loss rises, to first order, and d is linear in
    the size of each gradient: that of a task with small ones moves little. At K = 1 the weight is
    1. A zero row weighs 0, and the others share its p. Where rows cancel altogether, d is next to
    nothing and the step is flagged.

    Departs from the paper: solved exactly, on unit rows (the authors' code adds a small multiple
    of the identity to the Gramian, which makes d conflict once gradients differ thirtyfold).
    """

    paper: ClassVar[str] = "quinton2024jacobian"
    claims: ClassVar = frozenset({Claim.EQUIVARIANT, Claim.NON_CONFLICTING})
    needs_gramian: ClassVar[bool] = True
    loss_weights: ClassVar[UseOfLossWeights] = "share"

    def weigh(self, signals: Signals, memory: Named) -> Weighing:
        rows = active_rows(signals)
        identity = ops.eye(rows.cosines.shape[0], dtype="float64")
        hessians = rows.cosines[None, :, :] * ops.ones_like(rows.cosines)[:, :, None]  # [K, K, K]
        turned = identity + least_in_cone(hessians, -rows.cosines)  # [K, K], of unit rows

        pulls = ops.sum(pulls_of_the_mean(signals, rows)[:, None] * turned, axis=0)
        weights = ops.cast(pulls * rows.inverse_norms, signals.losses.dtype)
        return Weighing(weights, memory, cancels(rows.cosines, pulls))
