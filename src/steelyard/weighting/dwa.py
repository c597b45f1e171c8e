"""DWA: a task whose loss has lately fallen more slowly than the others' weighs more."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.arrays import Named, ops
from steelyard.weighting.base import Claim, Signals, Weighing, Weighting

N_EVEN_EPOCHS = 2  # there is no ratio of epochs before there are two epochs


@dataclass(frozen=True, kw_only=True)
class DWA(Weighting):
    """Dynamic weight average: weighs each task by how slowly its loss has been falling.

        w_k(t) = p_k * K * softmax_k( r_k(t-1) / T ),    r_k(t-1) = L_k(t-1) / L_k(t-2)

    where L_k(t) is the mean loss of task k over the labelled examples of epoch t, T the
    temperature, p_k the task's loss weight, and K the number of tasks that are trained (equation
    7). The first two epochs, which have no ratio yet, weigh every task p_k; a task without a label
    in an epoch keeps the ratio it had, which is 1 before there is one.

    r is free of units, so the rule does not see that one loss is a thousand times another: it
    balances speed, not size.

    Departs from the paper: none; the tasks' loss weights multiply the rule's.

    Attributes:
        temperature: T. Larger is more even; the paper uses 2.
    """

    temperature: float = 2.0

    paper: ClassVar[str] = "liu2019end"
    claims: ClassVar = frozenset({Claim.SUMS_TO_K, Claim.EQUIVARIANT})

    def __post_init__(self) -> None:
        if self.temperature <= 0:
            raise ValueError(f"`temperature` must be positive, got {self.temperature}.")

    def remember(self, n_tasks: int) -> Named:
        return {
            "older": ops.ones(n_tasks),  # mean losses of the epoch before last
            "newer": ops.ones(n_tasks),  # mean losses of the last epoch
            "total": ops.zeros(n_tasks),  # summed losses of this epoch so far ...
            "count": ops.zeros(n_tasks),  # ... over this many labelled examples
            "n_means": ops.zeros(n_tasks),  # epochs in which the task had a label
            "epoch": ops.zeros(()),
        }

    def weigh(self, signals: Signals, memory: Named) -> Weighing:
        is_new_epoch = signals.epoch > memory["epoch"]
        has_mean = ops.logical_and(is_new_epoch, memory["count"] > 0)
        mean = memory["total"] / ops.maximum(memory["count"], 1.0)
        older = ops.where(has_mean, memory["newer"], memory["older"])
        newer = ops.where(has_mean, mean, memory["newer"])

        n_means = memory["n_means"] + ops.cast(has_mean, memory["n_means"].dtype)

        has_ratio = ops.logical_and(n_means >= N_EVEN_EPOCHS, older > 0)
        ratio = ops.where(has_ratio, newer / ops.where(has_ratio, older, 1.0), 1.0)
        is_trained = signals.loss_weights > 0
        scores = ops.where(is_trained, ratio / self.temperature, -1e9)
        n_trained = ops.sum(ops.cast(is_trained, signals.losses.dtype))
        powers = ops.exp(scores - ops.max(scores))
        balance = n_trained * powers / ops.sum(powers)
        balance = ops.where(signals.epoch < N_EVEN_EPOCHS, 1.0, balance)
        kept = {name: ops.where(is_new_epoch, 0.0, memory[name]) for name in ("total", "count")}
        return Weighing(
            ops.where(signals.is_active, signals.loss_weights * balance, 0.0),
            {
                "older": older,
                "newer": newer,
                "total": kept["total"] + signals.losses * signals.counts,
                "count": kept["count"] + signals.counts,
                "n_means": n_means,
                "epoch": signals.epoch,
            },
        )
