"""STCH: a smooth maximum of the losses, each in units of what it was after a warm-up."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.arrays import Array, Named, ops
from steelyard.weighting._relative import has_loss, inverses, ratios, shares
from steelyard.weighting.base import Claim, Signals, Weighing, Weighting


@dataclass(frozen=True, kw_only=True)
class STCH(Weighting):
    """Smooth Tchebycheff: minimises a smooth maximum of the losses' logarithms.

        minimise  K * mu * log sum_k exp( log(L_k / z_k) / mu )

        so    w_k = p_k * K * softmax_k( log(L_k / z_k) / mu ) / L_k

    where L_k is the loss of task k in this step, z_k its nadir, the mean loss over the labelled
    examples of the last warm-up epoch, p_k its loss weight, and K the number of active tasks. A
    small mu serves only the task that has fallen least below its nadir; a large one is the sum of
    logarithms. Multiplying a task's loss by a constant multiplies its nadir too and divides its
    weight: nothing else changes.

    In the warm-up w_k = p_k / L_k, the gradient of the sum of the losses' logarithms, and so it is
    at K = 1. A task without a label in the last warm-up epoch has the nadir of its last epoch with
    one; until it has any, it counts as at its nadir. A loss of zero, and a task that is not active,
    weighs 0 and takes no share.

    Departs from the paper: none in the form that its multi-task experiments use (of its general
    form, mu * log sum_k exp( lambda_k * (L_k - z_k) / mu ), the preferences are equal). The
    official code and LibMTL log weights of 1, which are not those of the gradient.

    Attributes:
        mu: How smooth the maximum is. The official code's default is 1.
        warmup_epochs: Epochs of the sum of logarithms. The official code's default is 4.
    """

    mu: float = 1.0
    warmup_epochs: int = 4

    paper: ClassVar[str] = "lin2024smooth"
    claims: ClassVar = frozenset({Claim.EQUIVARIANT, Claim.SCALE_FREE, Claim.SCALE_FREE_DIRECTION})

    def __post_init__(self) -> None:
        if not self.mu > 0:
            raise ValueError(f"`mu` must be positive, got {self.mu}.")
        if self.warmup_epochs < 1:
            raise ValueError(f"`warmup_epochs` must be at least 1, got {self.warmup_epochs}.")

    def remember(self, n_tasks: int) -> Named:
        return {
            "nadir": ops.zeros(n_tasks),  # 0 is none
            "total": ops.zeros(n_tasks),  # summed losses of this epoch so far ...
            "count": ops.zeros(n_tasks),  # ... over this many labelled examples
            "epoch": ops.zeros(()),
        }

    def weigh(self, signals: Signals, memory: Named) -> Weighing:
        is_new_epoch = signals.epoch > memory["epoch"]
        nadir = ops.where(is_new_epoch, self._nadir_after(memory), memory["nadir"])
        is_warmed_up = signals.epoch >= self.warmup_epochs

        is_in = has_loss(signals)
        n_in = ops.sum(ops.cast(is_in, signals.losses.dtype))
        left = ops.where(ops.logical_and(is_in, is_warmed_up), ratios(signals.losses, nadir), 1.0)
        balance = n_in * shares(ops.log(left) / self.mu, is_in)
        products = signals.losses * signals.counts
        kept = {name: ops.where(is_new_epoch, 0.0, memory[name]) for name in ("total", "count")}
        return Weighing(
            signals.loss_weights * balance * inverses(signals.losses, is_in),
            {
                "nadir": nadir,
                "total": kept["total"] + ops.where(signals.is_active, products, 0.0),
                "count": kept["count"] + ops.where(signals.is_active, signals.counts, 0.0),
                "epoch": signals.epoch,
            },
        )

    def _nadir_after(self, memory: Named) -> Array:
        """Returns the nadir as the end of an epoch leaves it."""
        is_open = ops.logical_or(memory["epoch"] < self.warmup_epochs, memory["nadir"] <= 0)
        has_mean = ops.logical_and(is_open, memory["count"] > 0)
        mean = memory["total"] / ops.where(has_mean, memory["count"], 1.0)
        return ops.where(has_mean, mean, memory["nadir"])
