"""WarmUp: the user's loss weights for the first epochs, and then another method's."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.arrays import Array, Named, ops
from steelyard.weighting._held import laid_by, laid_out, take_after
from steelyard.weighting.base import Claim, Look, Signals, Weighing, Weighting


@dataclass(frozen=True, kw_only=True)
class WarmUp(Weighting):
    """Trains at the fixed loss weights until there is something for another method to go by.

        w_k = p_k  in the first `n_epochs` epochs,    w_k = v_k  after them

    where p_k is the loss weight of task k, and v_k the weight that the method gives it. The method
    watches from the first step, and learns: when its turn comes, its running means are those of
    the whole training, not of one batch.

    A task that is not active weighs 0. In the warm-up the loss weights are factors, whatever the
    method does with them later, and no step is flagged as stationary. A method that puts other
    rows in place of the gradients does so in the warm-up, too.

    Departs from the paper: that paper trains at fixed weights from the first step to the last;
    here they are what training begins with.

    Attributes:
        method: Who weighs after the warm-up.
        n_epochs: Epochs of the warm-up; 0 is the method itself.
    """

    method: Weighting
    n_epochs: int = 1

    paper: ClassVar[str] = "kurin2022defense"
    claims: ClassVar[frozenset[Claim]] = frozenset({Claim.SUMS_TO_K, Claim.EQUIVARIANT})

    def __post_init__(self) -> None:
        if self.n_epochs < 0:
            raise ValueError(f"`n_epochs` must not be negative, got {self.n_epochs}.")
        take_after(self, self.method)

    def check(self, n_tasks: int) -> None:
        self.method.check(n_tasks)

    def remember(self, n_tasks: int) -> Named:
        return laid_by(self.method.remember(n_tasks))

    def weigh(self, signals: Signals, memory: Named) -> Weighing:
        answer = self.method.weigh(signals, laid_out(memory))
        is_warm = signals.epoch >= self.n_epochs
        weights = ops.where(is_warm, answer.weights, signals.loss_weights)
        return Weighing(
            ops.where(signals.is_active, weights, 0.0),
            laid_by(answer.memory),
            ops.logical_and(is_warm, answer.is_stationary),
        )

    def lesson(self, signals: Signals, memory: Named) -> Array:
        return self.method.lesson(signals, laid_out(memory))

    def look(self, rows: Array, kept: Named, draws: Array, is_active: Array) -> Look:
        look = self.method.look(rows, laid_out(kept), draws, is_active)
        return look._replace(kept=laid_by(look.kept))
