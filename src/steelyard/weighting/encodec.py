"""EnCodec's balancer: a loss weight is the task's fraction of the gradient."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.arrays import Named, ops
from steelyard.weighting._active_rows import active_rows
from steelyard.weighting._running_mean import running_mean
from steelyard.weighting.base import Claim, Signals, UseOfLossWeights, Weighing, Weighting


@dataclass(frozen=True, kw_only=True)
class EnCodec(Weighting):
    """Gives each task its share of a gradient budget that does not change.

        w_k = R * (p_k / sum_j p_j) / m_k,    m_k(t) = mean of ||g_k|| up to step t

    where g_k is the gradient of task k on the shared parameters, p_k the task's loss weight, R the
    budget (equation 5), and m_k the exponential mean of decay `beta`, corrected for its start. A
    loss weight of 0.6, where they sum to one, is 60 % of the lengths that are added up. Multiplying
    a task's loss by r divides its weight by r and leaves the weighted gradient where it was.

    At the first step m_k = ||g_k||. At K = 1 the weight is R / m. A task that is not active, or
    whose gradient is zero, weighs 0 in that step, takes no share, and keeps its mean.

    Departs from the paper: the gradients are those on the parameters that the tasks share, where
    the paper takes them on the output of the model (and its code their mean length over the
    examples of the batch), so that the budget is of the step itself and not of what is handed
    back to it; no small number is added to m_k.

    Attributes:
        beta: Decay of the mean of the lengths; the paper uses 0.999.
        total_norm: R; the paper uses 1.
    """

    beta: float = 0.999
    total_norm: float = 1.0

    paper: ClassVar[str] = "defossez2023high"
    claims: ClassVar = frozenset({Claim.EQUIVARIANT, Claim.SCALE_FREE, Claim.SCALE_FREE_DIRECTION})
    needs_gramian: ClassVar[bool] = True
    loss_weights: ClassVar[UseOfLossWeights] = "share"

    def __post_init__(self) -> None:
        if not 0 <= self.beta < 1:
            raise ValueError(f"`beta` must be at least 0 and below 1, got {self.beta}.")
        if not self.total_norm > 0:
            raise ValueError(f"`total_norm` must be positive, got {self.total_norm}.")

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
        shares = ops.where(rows.is_present, ops.cast(signals.loss_weights, "float64"), 0.0)
        total = ops.sum(shares)
        shares = shares / ops.where(total > 0, total, 1.0)
        weights = self.total_norm * shares / ops.where(norms > 0, norms, 1.0)
        dtype = signals.losses.dtype
        kept = {"norms": ops.cast(norms, dtype), "count": ops.cast(count, dtype)}
        return Weighing(ops.cast(weights, dtype), kept)
