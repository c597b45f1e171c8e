"""Smoothed: the running mean of another method's weights."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.arrays import Array, Named, ops
from steelyard.weighting._held import laid_by, laid_out, take_after
from steelyard.weighting.base import Claim, Look, Signals, Weighing, Weighting


@dataclass(frozen=True, kw_only=True)
class Smoothed(Weighting):
    """Averages the weights of another method over its past steps, so that no batch decides alone.

        w_k(t) = beta * w_k(t-1) + (1 - beta) * v_k(t),    w_k(first) = v_k(first)

    where v_k(t) is the weight that the method gives task k in step t, and `first` the first step
    in which the task is active. Weights that are found on one batch go by its noise, and gradient
    descent on them need not converge to where no task can gain; a mean over past steps does.

    In the first step the weights are the method's own; at K = 1 too a later one is a mean. A task
    that is not active weighs 0 and keeps its mean; a gradient of zero takes the 0 that a method
    gives it into the mean. What a method promises of sums holds as long as the same tasks are
    active. What it promises of one step alone does not outlast a mean: no task is safe from
    conflict, and the direction stays free of units only where the length is, too.

    Departs from the paper: a task enters the mean when it is first active, with the method's own
    weight (TorchJD's mean begins with even ones).

    Attributes:
        method: Whose weights are averaged.
        beta: Decay of the mean; 0 is the method itself.
    """

    method: Weighting
    beta: float = 0.9

    paper: ClassVar[str] = "zhou2022convergence"
    claims: ClassVar[frozenset[Claim]] = frozenset(
        {
            Claim.CONVEX,
            Claim.SUMS_TO_ONE,
            Claim.SUMS_TO_K,
            Claim.EQUIVARIANT,
            Claim.SCALE_FREE,
        }
    )

    def __post_init__(self) -> None:
        if not 0 <= self.beta < 1:
            raise ValueError(f"`beta` must be at least 0 and below 1, got {self.beta}.")
        take_after(self, self.method)

    def check(self, n_tasks: int) -> None:
        self.method.check(n_tasks)

    def remember(self, n_tasks: int) -> Named:
        return {
            "mean": ops.zeros(n_tasks),  # of the weights ...
            "has_begun": ops.zeros(n_tasks),  # ... of each task that has been active
            **laid_by(self.method.remember(n_tasks)),
        }

    def weigh(self, signals: Signals, memory: Named) -> Weighing:
        answer = self.method.weigh(signals, laid_out(memory))
        is_active, mean = signals.is_active, memory["mean"]
        given = ops.cast(answer.weights, mean.dtype)
        moved = self.beta * mean + (1 - self.beta) * given
        moved = ops.where(memory["has_begun"] > 0, moved, given)
        own = {
            "mean": ops.where(is_active, moved, mean),
            "has_begun": ops.where(is_active, 1.0, memory["has_begun"]),
        }
        weights = ops.cast(ops.where(is_active, moved, 0.0), signals.losses.dtype)
        return answer._replace(weights=weights, memory={**own, **laid_by(answer.memory)})

    def lesson(self, signals: Signals, memory: Named) -> Array:
        return self.method.lesson(signals, laid_out(memory))

    def look(self, rows: Array, kept: Named, draws: Array, is_active: Array) -> Look:
        look = self.method.look(rows, laid_out(kept), draws, is_active)
        return look._replace(kept=laid_by(look.kept))
