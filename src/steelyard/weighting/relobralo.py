"""ReLoBRaLo: a task whose loss has fallen less since the start, or since last, weighs more."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.arrays import Named, ops
from steelyard.weighting._relative import ratios, shares
from steelyard.weighting.base import Claim, Signals, Weighing, Weighting


@dataclass(frozen=True, kw_only=True)
class ReLoBRaLo(Weighting):
    """Relative loss balancing: a running mean of softmaxes of how much of each loss is left.

        b_k(t) = alpha * ( rho * b_k(t-1) + (1 - rho) * c_k(t, 0) )  +  (1 - alpha) * c_k(t, t-1)

        c_k(t, u) = K * softmax_k( L_k(t) / (T L_k(u)) ),    w_k(t) = p_k * b_k(t)

    where L_k(t) is the loss of task k in step t, p_k its loss weight, T the temperature, and K the
    number of active tasks. The ratios have no unit: the rule balances progress, not size.

    b begins at 1, and the first step weighs p_k; so does every step at K = 1. A task's own first
    step is its step 0, and its last active one is its t-1. A task that is not active weighs 0,
    takes no share and keeps its b. A ratio to a loss of zero counts as 1.

    Departs from the paper: nothing is drawn. The paper looks back at random, with a rho that is 1
    or 0 anew in each step; here it is the mean of that draw. b is linear in it, so it is exactly
    the mean of the paper's weights over all draws, for the same losses; what is lost is the noise.

    Attributes:
        alpha: How much of the past a step keeps. Implementations use 0.95 to 0.999.
        rho: How much of that past is b's own, and not the start's. They use 0.99 or 0.999.
        temperature: T. Larger is more even; a T towards 0 serves the slowest task alone.
    """

    alpha: float = 0.999
    rho: float = 0.999
    temperature: float = 1.0

    paper: ClassVar[str] = "bischof2025multi"
    claims: ClassVar = frozenset({Claim.SUMS_TO_K, Claim.EQUIVARIANT})

    def __post_init__(self) -> None:
        for name in ("alpha", "rho"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"`{name}` must be from 0 to 1, got {getattr(self, name)}.")
        if not self.temperature > 0:
            raise ValueError(f"`temperature` must be positive, got {self.temperature}.")

    def remember(self, n_tasks: int) -> Named:
        return {
            "balance": ops.ones(n_tasks),
            "start": ops.zeros(n_tasks),  # each task's first loss; 0 is none
            "last": ops.zeros(n_tasks),
        }

    def weigh(self, signals: Signals, memory: Named) -> Weighing:
        is_active, losses = signals.is_active, signals.losses
        n_active = ops.sum(ops.cast(is_active, losses.dtype))
        is_first = ops.logical_and(is_active, memory["start"] <= 0)
        start = ops.where(is_first, losses, memory["start"])
        far = n_active * shares(ratios(losses, start) / self.temperature, is_active)
        near = n_active * shares(ratios(losses, memory["last"]) / self.temperature, is_active)

        kept = self.rho * memory["balance"] + (1 - self.rho) * far
        moved = self.alpha * kept + (1 - self.alpha) * near
        return Weighing(
            ops.where(is_active, signals.loss_weights * moved, 0.0),
            {
                "balance": ops.where(is_active, moved, memory["balance"]),
                "start": start,
                "last": ops.where(is_active, losses, memory["last"]),
            },
        )
