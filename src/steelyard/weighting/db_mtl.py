"""DB-MTL: the gradients of log losses, all brought to the length of the longest."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.arrays import Named, ops
from steelyard.weighting._active_rows import active_rows
from steelyard.weighting.base import Claim, Signals, UseOfLossWeights, Weighing, Weighting


@dataclass(frozen=True, kw_only=True)
class DBMTL(Weighting):
    """Dual balancing: of the losses, by their logarithm, and of the gradients, by their length.

        w_k = max_j ( ||g_j|| / L_j ) / ||g_k||

    where g_k is the gradient on the shared parameters of L_k, the loss of task k, so that g_k / L_k
    is that of log L_k (Algorithm 1). Every weighted gradient is as long as the longest of the log
    losses; none of it sees units, so multiplying a loss by a constant leaves the weighted gradient
    where it was. The length follows the task whose loss falls fastest in proportion, and with it
    that task's noise.

    At K = 1 the weight is 1 / L. A zero row weighs 0, and so does a task whose loss is zero, which
    has no logarithm.

    Departs from the paper: it averages each task's gradient over steps, with a decay beta, before
    it compares them; an average of vectors cannot be had from one step's inner products, so this
    is beta = 0, and takes the step's own gradients. No small number is added to L_k. The private
    layers see their own loss, where the paper gives them its logarithm. The tasks' loss weights
    are ignored, but for 0, which takes a task out.
    """

    paper: ClassVar[str] = "lin2023dual"
    claims: ClassVar = frozenset({Claim.EQUIVARIANT, Claim.SCALE_FREE, Claim.SCALE_FREE_DIRECTION})
    needs_gramian: ClassVar[bool] = True
    loss_weights: ClassVar[UseOfLossWeights] = "ignored"

    def weigh(self, signals: Signals, memory: Named) -> Weighing:
        rows = active_rows(signals)
        losses = ops.cast(signals.losses, "float64")
        has_log = ops.logical_and(rows.is_present, losses > 0)
        lengths = ops.where(has_log, rows.norms / ops.where(has_log, losses, 1.0), 0.0)
        weights = ops.where(has_log, ops.max(lengths) * rows.inverse_norms, 0.0)
        return Weighing(ops.cast(weights, signals.losses.dtype), memory)
