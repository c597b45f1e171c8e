"""GradNorm in closed form: the weights that its learning would come to rest at."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.arrays import Named, ops
from steelyard.weighting._active_rows import active_rows
from steelyard.weighting._running_mean import first_mean
from steelyard.weighting.base import Claim, Signals, UseOfLossWeights, Weighing, Weighting


@dataclass(frozen=True, kw_only=True)
class GradNormClosed(Weighting):
    """Gives slow tasks longer gradients, and sizes no say.

        w_k = K * (p_k r_k^alpha / ||g_k||) / sum_j (p_j r_j^alpha / ||g_j||)

    where g_k is the gradient of task k on the shared parameters, p_k the task's loss weight, K the
    number of tasks that take part, and r_k the loss L_k relative to its start, L_k(0): a task that
    has come down less than the others has a larger r_k, and gets a longer weighted gradient
    (equation 1). These are the weights at which the objective of GradNorm is zero. The direction of
    the weighted gradient does not see units; its length does.

    At the first step r_k = 1, so all weighted gradients are as long as their p_k. At K = 1 the
    weight is 1. A zero row weighs 0 and takes no share.

    Departs from the paper: the weights are solved for, where the paper takes one step towards them
    after each batch; the gradients are on all shared parameters, not on the last shared layer; the
    start is the mean over some steps, since the loss of a single batch is noise; loss weights are
    shares. (The paper divides each r_k by their mean, which the sum of K takes out again.)

    Attributes:
        alpha: The pull on slow tasks; 0 makes all lengths equal. The paper uses 0.12 to 1.5.
        n_first_steps: The steps with a label over which L_k(0) is averaged; the paper takes 1.
    """

    alpha: float = 1.5
    n_first_steps: int = 10

    paper: ClassVar[str] = "chen2018gradnorm"
    claims: ClassVar = frozenset({Claim.SUMS_TO_K, Claim.EQUIVARIANT, Claim.SCALE_FREE_DIRECTION})
    needs_gramian: ClassVar[bool] = True
    loss_weights: ClassVar[UseOfLossWeights] = "share"

    def __post_init__(self) -> None:
        if self.alpha < 0:
            raise ValueError(f"`alpha` must not be negative, got {self.alpha}.")
        if self.n_first_steps < 1:
            raise ValueError(f"`n_first_steps` must be at least 1, got {self.n_first_steps}.")

    def remember(self, n_tasks: int) -> Named:
        return {
            "start": ops.zeros(n_tasks),  # mean loss of the first steps ...
            "count": ops.zeros(n_tasks),  # ... of which there have been so many
        }

    def weigh(self, signals: Signals, memory: Named) -> Weighing:
        rows = active_rows(signals)
        losses = ops.cast(signals.losses, "float64")
        start, count = first_mean(
            memory["start"], memory["count"], losses, signals.is_active, self.n_first_steps
        )
        ratio = ops.where(start > 0, losses / ops.where(start > 0, start, 1.0), 1.0)
        wanted = ops.power(ops.maximum(ratio, 0.0), self.alpha)
        wanted = wanted * ops.cast(signals.loss_weights, "float64") * rows.inverse_norms
        wanted = ops.where(rows.is_present, wanted, 0.0)
        total = ops.sum(wanted)
        n_present = ops.sum(ops.cast(rows.is_present, "float64"))
        weights = n_present * wanted / ops.where(total > 0, total, 1.0)
        dtype = signals.losses.dtype
        kept = {"start": ops.cast(start, dtype), "count": ops.cast(count, dtype)}
        return Weighing(ops.cast(weights, dtype), kept)
