"""Scale-invariant: the sum of the losses' logarithms, in which units are only constants."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.arrays import Named, ops
from steelyard.weighting._relative import inverses
from steelyard.weighting.base import Claim, Signals, Weighing, Weighting


@dataclass(frozen=True, kw_only=True)
class ScaleInvariant(Weighting):
    """Minimises the sum of the losses' logarithms: weighs each loss by its inverse.

        minimise  sum_k  p_k * log( L_k + e_k ),    so    w_k = p_k / ( L_k + e_k )

    where L_k is the loss of task k in this step, p_k its loss weight, and e_k = epsilon * L_k(0)
    keeps the weight of a loss that vanishes at 1 / e_k at most; L_k(0) is the first loss above
    zero that the task had. Multiplying a task's loss by r divides its weight by r, exactly,
    because e_k grows with the loss.

    The same gradient has three more names: UW-O, uncertainty weighting at its best s; the analytic
    form of IMTL-L, whose s comes to rest there; and the log transform of DB-MTL.

    The first step weighs p_k / L_k, and so does a task that is alone. A task that is not active
    weighs 0 and keeps its L_k(0); one that never had a loss above zero weighs 0.

    Departs from the paper: epsilon. The Nash-MTL paper's baseline (section 6), which is this one,
    has none; others add a constant of 1e-8 to every loss, whatever its unit.

    Attributes:
        epsilon: How small, in units of its first loss, a loss is taken to be zero. The paper's
            is 0.
    """

    epsilon: float = 1e-6

    paper: ClassVar[str] = "navon2022multi"
    claims: ClassVar = frozenset({Claim.EQUIVARIANT, Claim.SCALE_FREE, Claim.SCALE_FREE_DIRECTION})

    def __post_init__(self) -> None:
        if not self.epsilon > 0:
            raise ValueError(f"`epsilon` must be positive, got {self.epsilon}.")

    def remember(self, n_tasks: int) -> Named:
        return {"start": ops.zeros(n_tasks)}  # each task's first loss above zero

    def weigh(self, signals: Signals, memory: Named) -> Weighing:
        is_first = ops.logical_and(signals.is_active, memory["start"] <= 0)
        start = ops.where(is_first, signals.losses, memory["start"])
        is_in = ops.logical_and(signals.is_active, start > 0)
        weights = inverses(signals.losses + self.epsilon * start, is_in)
        return Weighing(signals.loss_weights * weights, {"start": start})
