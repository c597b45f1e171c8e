"""FAMO: weights that are learned until all losses fall at the same rate."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.arrays import Array, Losses, Named, ops
from steelyard.weighting._relative import SMALLEST, shares
from steelyard.weighting.base import Claim, Signals, Weighing, Weighting


@dataclass(frozen=True, kw_only=True)
class FAMO(Weighting):
    """Fast adaptive multitask optimization: looks after the loss whose logarithm falls least.

        w_k = p_k * c * z_k / D_k,    z = softmax(s),    D_k = L_k - b,    c = 1 / sum_j (z_j / D_j)

    where L_k is the loss of task k, p_k its loss weight, b the least that a loss can be, and s_k a
    learned number (algorithm 1). After the step, the losses L'_k of the same batch move s down

        sum_k  z_k * d_k  +  gamma / 2 * s_k^2,    d_k = log(L_k - b) - log(L'_k - b)

    with d_k a constant: a task that gained less than the others comes to weigh more. Gains are
    relative, so for b = 0 neither the direction of the weighted gradient nor what is learned sees
    units. In one formula, w_k = p_k * softmax_k( s_k - log D_k ).

    At the first step s = 0, so w_k = p_k * (1 / D_k) / sum_j (1 / D_j). At K = 1 the weight is
    p_k. A task that is not active weighs 0, takes no share and keeps its s. One whose loss is at b
    or below has nothing left to gain: it weighs 0 too, and gamma alone moves its s, as in a step
    that takes a loss there. Just above b a loss has nearly all the weight, as in the paper.

    Departs from the paper: no small number is added to D (its code adds 1e-8, which has a unit); b
    is one number for all tasks; the length of the gradient is not clipped (its code clips it at
    1). The tasks' loss weights multiply the rule's; since the learning evens out the rates of
    gain whatever they are, it works against them.

    Attributes:
        gamma: The pull of s to zero. The paper's is 1e-3, as in other implementations; its code
            has 1e-5 in one place and 1e-2 in another.
        least: b, 0 in the paper's code. The paper has one for each task.
    """

    gamma: float = 1e-3
    least: float = 0.0

    paper: ClassVar[str] = "liu2023famo"
    claims: ClassVar = frozenset(
        {Claim.CONVEX, Claim.SUMS_TO_ONE, Claim.EQUIVARIANT, Claim.SCALE_FREE_DIRECTION}
    )
    needs_losses_after: ClassVar[bool] = True
    learns: ClassVar[frozenset[str]] = frozenset({"logits"})

    def __post_init__(self) -> None:
        if not self.gamma >= 0:
            raise ValueError(f"`gamma` must not be negative, got {self.gamma}.")

    def remember(self, n_tasks: int) -> Named:
        return {"logits": ops.zeros(n_tasks)}

    def weigh(self, signals: Signals, memory: Named) -> Weighing:
        log_distance, is_above = self._log_distances(signals.losses)
        is_in = ops.logical_and(signals.is_active, is_above)
        given = shares(memory["logits"] - log_distance, is_in)
        return Weighing(signals.loss_weights * given, memory)

    def lesson(self, signals: Signals, memory: Named) -> Array:
        before, is_above = self._log_distances(signals.losses)
        after, is_still = self._log_distances(signals.losses_after)
        is_compared = ops.logical_and(signals.is_active, ops.logical_and(is_above, is_still))
        z = shares(memory["logits"], is_compared)
        decay = 0.5 * self.gamma * ops.square(memory["logits"])
        return z * ops.stop_gradient(before - after) + decay

    def _log_distances(self, losses: Losses) -> tuple[Array, Array]:
        """Returns log(L - b) [K], and where there is one; elsewhere it is 0."""
        distance = losses - self.least
        is_above = ops.logical_and(distance > SMALLEST, ops.isfinite(distance))
        return ops.log(ops.where(is_above, distance, 1.0)), is_above
