"""Inverse norm: every task's gradient gets the same length, on average."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.arrays import Named, ops
from steelyard.weighting._active_rows import active_rows
from steelyard.weighting._running_mean import running_mean
from steelyard.weighting.base import Claim, Signals, UseOfLossWeights, Weighing, Weighting


@dataclass(frozen=True, kw_only=True)
class InverseNorm(Weighting):
    """Divides each loss by the running mean of the length of its gradient.

        w_k = K * (p_k / m_k) / sum_j (p_j / m_j),    m_k(t) = mean of ||g_k|| up to step t

    where g_k is the gradient of task k on the shared parameters, p_k the task's loss weight, K the
    number of tasks that take part, and m_k the exponential mean of decay `beta`, corrected for its
    start. A loss weight is a share: of the sum of the weighted gradients' lengths, task k has
    p_k / sum_j p_j. The direction of the weighted gradient does not see units; its length does.

    At the first step m_k = ||g_k||. At K = 1 the weight is 1. A task that is not active, or whose
    gradient is zero, weighs 0 in that step, takes no share, and keeps its mean.

    Departs from the paper: it finds that losses scaled by the inverse of their gradients' norms do
    as well as those of a grid search; the mean, the sum of K and the shares are ours.

    Attributes:
        beta: Decay of the mean of the lengths; 0 takes those of the step alone.
    """

    beta: float = 0.9

    paper: ClassVar[str] = "guo2025revisit"
    claims: ClassVar = frozenset({Claim.SUMS_TO_K, Claim.EQUIVARIANT, Claim.SCALE_FREE_DIRECTION})
    needs_gramian: ClassVar[bool] = True
    loss_weights: ClassVar[UseOfLossWeights] = "share"

    def __post_init__(self) -> None:
        if not 0 <= self.beta < 1:
            raise ValueError(f"`beta` must be at least 0 and below 1, got {self.beta}.")

    def remember(self, n_tasks: int) -> Named:
        return {
            "norms": ops.zeros(n_tasks),  # running mean of each gradient's length ...
            "count": ops.zeros(n_tasks),  # ... over this many steps
        }

    def weigh(self, signals: Signals, memory: Named) -> Weighing:
        rows = active_rows(signals)
        norms, count = running_mean(
            memory["norms"], memory["count"], rows.norms, rows.is_present, self.beta
        )
        inverses = ops.cast(signals.loss_weights, "float64") / ops.where(norms > 0, norms, 1.0)
        inverses = ops.where(rows.is_present, inverses, 0.0)
        total = ops.sum(inverses)
        n_present = ops.sum(ops.cast(rows.is_present, "float64"))
        weights = n_present * inverses / ops.where(total > 0, total, 1.0)
        dtype = signals.losses.dtype
        kept = {"norms": ops.cast(norms, dtype), "count": ops.cast(count, dtype)}
        return Weighing(ops.cast(weights, dtype), kept)
