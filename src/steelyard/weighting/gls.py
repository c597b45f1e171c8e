"""GLS: the geometric mean of the losses."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.arrays import Named, ops
from steelyard.weighting._relative import has_loss, inverses
from steelyard.weighting.base import Claim, Signals, Weighing, Weighting


@dataclass(frozen=True, kw_only=True)
class GLS(Weighting):
    """Geometric loss strategy: minimises the geometric mean of the losses.

        minimise  L_geo = ( prod_k L_k )^(1/K),    so    w_k = p_k * L_geo / ( K * L_k )

    where L_k is the loss of task k, p_k its loss weight, and K the number of active tasks. The
    weighted losses are then all equal, where loss weights are, and sum to L_geo: the direction is
    that of the sum of logarithms, and its length falls with the losses. Multiplying a task's loss
    by r multiplies the weighted gradient by r^(1/K), and does not turn it.

    At K = 1 the weight is p_k. A loss of zero would take all weight from the others; its task
    weighs 0 instead, and is left out of the mean, as is one that is not active.

    Departs from the paper: losses of zero, and the tasks' loss weights, which multiply the rule's.
    The mean is taken of logarithms: a product of losses overflows (as LibMTL's may).
    """

    paper: ClassVar[str] = "chennupati2019multinet"
    claims: ClassVar = frozenset({Claim.EQUIVARIANT, Claim.SCALE_FREE_DIRECTION})

    def weigh(self, signals: Signals, memory: Named) -> Weighing:
        is_in = has_loss(signals)
        n_in = ops.maximum(ops.sum(ops.cast(is_in, signals.losses.dtype)), 1.0)
        logarithms = ops.log(ops.where(is_in, signals.losses, 1.0))
        mean = ops.exp(ops.sum(logarithms) / n_in)
        return Weighing(
            signals.loss_weights * mean / n_in * inverses(signals.losses, is_in), memory
        )
