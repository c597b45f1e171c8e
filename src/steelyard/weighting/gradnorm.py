"""GradNorm: weights that are learned until slow tasks have the longer gradients."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.arrays import Array, Named, ops
from steelyard.weighting._active_rows import ActiveRows, active_rows
from steelyard.weighting._relative import shares
from steelyard.weighting._running_mean import first_mean
from steelyard.weighting.base import Claim, Signals, UseOfLossWeights, Weighing, Weighting


@dataclass(frozen=True, kw_only=True)
class GradNorm(Weighting):
    """Learns weights whose gradients' lengths follow how slow the tasks are.

        w_k = K * p_k exp(s_k) / sum_j p_j exp(s_j),    where s moves down

        sum_k  | w_k ||g_k|| / sum_j (w_j ||g_j||)  -  t_k |,
        with  t_k = p_k r_k^alpha / sum_j (p_j r_j^alpha)

    where g_k is the gradient of task k on the shared parameters, p_k its loss weight, K the number
    of tasks that take part, s_k a learned number, and r_k the loss L_k relative to its start,
    L_k(0): a task that has come down less than the others has a larger r_k, and is to have a longer
    weighted gradient (equations 1 and 2). The targets t_k and the sum of the lengths are constants
    to the learning, which comes to rest at the weights of `GradNormClosed`, with some steps' delay.

    At the first step s = 0, so w_k = K p_k / sum_j p_j. At K = 1 the weight is 1. A task that is
    not active, or whose gradient is zero, weighs 0, takes no share and keeps its s.

    Departs from the paper: w, not its logarithm, is learned there, and divided by its mean after
    each step; the lengths are not in parts of their sum, so that the pace depends on the unit of
    the losses; and it divides r_k by the mean of r, where only the mean of r^alpha makes targets
    that add up to the lengths and can be met. The gradients here are on all shared parameters, not
    on the last shared layer; the start is the mean over some steps, since the loss of a single
    batch is noise. Loss weights are shares of the gradients' length, as in the closed form: as
    factors after the rule they would come to rest at the same direction, but not keep the sum at K.

    Attributes:
        alpha: The pull on slow tasks; 0 makes all lengths equal. The paper uses 0.12 to 1.5.
        n_first_steps: The steps with a label over which L_k(0) is averaged; the paper takes 1.
    """

    alpha: float = 1.5
    n_first_steps: int = 10

    paper: ClassVar[str] = "chen2018gradnorm"
    claims: ClassVar = frozenset({Claim.SUMS_TO_K, Claim.EQUIVARIANT})
    needs_gramian: ClassVar[bool] = True
    loss_weights: ClassVar[UseOfLossWeights] = "share"
    learns: ClassVar[frozenset[str]] = frozenset({"logits"})

    def __post_init__(self) -> None:
        if not self.alpha >= 0:
            raise ValueError(f"`alpha` must not be negative, got {self.alpha}.")
        if self.n_first_steps < 1:
            raise ValueError(f"`n_first_steps` must be at least 1, got {self.n_first_steps}.")

    def remember(self, n_tasks: int) -> Named:
        return {
            "logits": ops.zeros(n_tasks),
            "start": ops.zeros(n_tasks),  # mean loss of the first steps ...
            "count": ops.zeros(n_tasks),  # ... of which there have been so many
        }

    def weigh(self, signals: Signals, memory: Named) -> Weighing:
        weights = learned_weights(active_rows(signals), signals, memory)
        start, count = first_mean(
            memory["start"],
            memory["count"],
            signals.losses,
            signals.is_active,
            self.n_first_steps,
        )
        dtype = signals.losses.dtype
        kept = {"start": ops.cast(start, dtype), "count": ops.cast(count, dtype)}
        return Weighing(ops.cast(weights, dtype), {**memory, **kept})

    def lesson(self, signals: Signals, memory: Named) -> Array:
        rows = active_rows(signals)
        lengths = learned_weights(rows, signals, memory) * rows.norms
        whole = ops.stop_gradient(ops.sum(lengths))
        lengths = lengths / ops.where(whole > 0, whole, 1.0)

        losses, start = (ops.cast(each, "float64") for each in (signals.losses, memory["start"]))
        ratio = ops.where(start > 0, losses / ops.where(start > 0, start, 1.0), 1.0)
        wanted = ops.power(ops.maximum(ratio, 0.0), self.alpha)
        wanted = wanted * ops.cast(signals.loss_weights, "float64")
        wanted = ops.where(rows.is_present, wanted, 0.0)
        total = ops.sum(wanted)
        targets = wanted / ops.where(total > 0, total, 1.0)
        return ops.where(total > 0, ops.abs(lengths - targets), 0.0)


def learned_weights(rows: ActiveRows, signals: Signals, memory: Named) -> Array:
    """Returns the weights [K] that the learned numbers stand for, in float64."""
    given = ops.cast(signals.loss_weights, "float64")
    logits = ops.cast(memory["logits"], "float64")
    scores = logits + ops.log(ops.where(rows.is_present, given, 1.0))
    n_present = ops.sum(ops.cast(rows.is_present, "float64"))
    return n_present * shares(scores, rows.is_present)
