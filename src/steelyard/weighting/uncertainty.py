"""Uncertainty weighting: each task's noise is learned, and a noisy task weighs less."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from steelyard.arrays import Array, Named, ops
from steelyard.weighting.base import Claim, Signals, Weighing, Weighting

FACTORS = {"squared": 0.5, "absolute": 1.0, "entropy": 1.0}  # of exp(-s) in the likelihood
PENALTIES = {"squared": 0.5, "absolute": 1.0, "entropy": 0.5}  # of s


@dataclass(frozen=True, kw_only=True)
class Uncertainty(Weighting):
    """Weighs each loss by its learned precision, with the likelihood that fits the loss.

    The objective is

        sum_k  p_k * ( a_k * exp(-s_k) * L_k  +  b_k * s_k )

    where L_k is the loss of task k, p_k its loss weight, and s_k a learned number: the log-variance
    (a, b = 1/2, 1/2) of a normal error for a squared loss, the log-scale (1, 1) of a Laplace error
    for an absolute one, and the log-temperature (1, 1/2) of the paper's softmax likelihood for a
    cross-entropy (equations 5 and 10). For a constant loss s comes to rest at exp(s) = L, and at
    exp(s) = 2 L for a cross-entropy.

    At the first step s = 0, so w_k = p_k * a_k. A task without a label in the batch keeps its s.

    Departs from the paper: s is kept within `bound`, with a pull that brings it back, and is
    trained by an Adam of its own (the paper gives it to the model's optimizer, where a small
    learning rate leaves it behind the losses for thousands of steps). Other implementations use
    the squared loss's formula for all.

    Attributes:
        bound: The largest size of s.
    """

    bound: float = 10.0

    paper: ClassVar[str] = "kendall2018multi"
    claims: ClassVar = frozenset({Claim.EQUIVARIANT})
    learns: ClassVar[frozenset[str]] = frozenset({"log_noise"})

    def __post_init__(self) -> None:
        if self.bound <= 0:
            raise ValueError(f"`bound` must be positive, got {self.bound}.")

    def remember(self, n_tasks: int) -> Named:
        return {"log_noise": ops.zeros(n_tasks)}

    def weigh(self, signals: Signals, memory: Named) -> Weighing:
        log_noise = ops.clip(memory["log_noise"], -self.bound, self.bound)
        weights = signals.loss_weights * of_kinds(FACTORS, signals) * ops.exp(-log_noise)
        return Weighing(ops.where(signals.is_active, weights, 0.0), memory)

    def lesson(self, signals: Signals, memory: Named) -> Array:
        log_noise = ops.clip(memory["log_noise"], -self.bound, self.bound)
        beyond = memory["log_noise"] - log_noise  # out there the rest of the objective is flat
        fit = of_kinds(FACTORS, signals) * ops.exp(-log_noise) * signals.losses
        likelihood = fit + of_kinds(PENALTIES, signals) * log_noise
        return signals.loss_weights * (likelihood + 0.5 * ops.square(beyond))


def of_kinds(table: Mapping[str, float], signals: Signals) -> Array:
    """Returns the number [K] that a table has for each task's kind of loss."""
    return ops.cast([table[kind] for kind in signals.kinds], signals.losses.dtype)
