"""IMTL-L: each task's scale is learned, until all scaled losses are one."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.arrays import Array, Named, ops
from steelyard.weighting.base import Claim, Signals, Weighing, Weighting


@dataclass(frozen=True, kw_only=True)
class IMTLL(Weighting):
    """Impartial learning, the balance of losses: learns a scale for each loss.

    The objective is

        sum_k  p_k * ( exp(s_k) * L_k  -  s_k )

    where L_k is the loss of task k, p_k its loss weight, and s_k a learned number (equation 6). For
    a constant loss s comes to rest at s = -log(L), where the scaled loss exp(s) L is 1;
    `ScaleInvariant` is there at once. It is twice the uncertainty weighting of a squared loss, at s
    of the other sign, and is used for losses of every kind.

    At the first step s = 0, so w_k = p_k, also at K = 1. A task that is not active weighs 0 and
    keeps its s. A loss of zero drives its s to `bound`.

    Departs from the paper: s is kept within `bound`, with a pull that brings it back, and is
    trained by an Adam of its own in place of the model's optimizer. The paper's other half, the
    balance of gradients (IMTL-G), is not part of it.

    Attributes:
        bound: The largest size of s; the paper has none. 10 serves losses from 5e-5 to 2e4.
    """

    bound: float = 10.0

    paper: ClassVar[str] = "liu2021towards"
    claims: ClassVar = frozenset({Claim.EQUIVARIANT})
    learns: ClassVar[frozenset[str]] = frozenset({"log_scale"})

    def __post_init__(self) -> None:
        if not self.bound > 0:
            raise ValueError(f"`bound` must be positive, got {self.bound}.")

    def remember(self, n_tasks: int) -> Named:
        return {"log_scale": ops.zeros(n_tasks)}

    def weigh(self, signals: Signals, memory: Named) -> Weighing:
        log_scale = ops.clip(memory["log_scale"], -self.bound, self.bound)
        weights = signals.loss_weights * ops.exp(log_scale)
        return Weighing(ops.where(signals.is_active, weights, 0.0), memory)

    def lesson(self, signals: Signals, memory: Named) -> Array:
        log_scale = ops.clip(memory["log_scale"], -self.bound, self.bound)
        beyond = memory["log_scale"] - log_scale  # out there the rest of the objective is flat
        likelihood = ops.exp(log_scale) * signals.losses - log_scale
        return signals.loss_weights * (likelihood + 0.5 * ops.square(beyond))
