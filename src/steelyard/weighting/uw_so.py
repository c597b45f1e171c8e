"""UW-SO: the best weights of uncertainty weighting, softened."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.arrays import Named, ops
from steelyard.weighting._relative import has_loss, inverses, shares
from steelyard.weighting.base import Claim, Signals, Weighing, Weighting


@dataclass(frozen=True, kw_only=True)
class UWSO(Weighting):
    """Soft optimal uncertainty weighting: weighs each loss by a softmax of the losses' inverses.

        w_k = p_k * softmax_k( 1 / (L_k T) )

    where L_k is the loss of task k in this step, p_k its loss weight, and T the temperature. 1 / L
    is where uncertainty weighting would come to rest (by itself it is UW-O, here
    `ScaleInvariant`).

    At K = 1 the weight is p_k. A loss of zero would take all weight from the others; its task
    weighs 0 instead and takes no share, as does one that is not active.

    T has a unit, that of 1 / L, so it must be found anew for each problem: where one loss is
    much smaller than T's inverse, its task takes nearly everything.

    Departs from the paper: losses of zero, and the tasks' loss weights, which multiply the rule's.

    Attributes:
        temperature: T. Larger is more even; the paper searches it for each data set.
    """

    temperature: float = 1.0

    paper: ClassVar[str] = "kirchdorfer2024analytical"
    claims: ClassVar = frozenset({Claim.CONVEX, Claim.SUMS_TO_ONE, Claim.EQUIVARIANT})

    def __post_init__(self) -> None:
        if not self.temperature > 0:
            raise ValueError(f"`temperature` must be positive, got {self.temperature}.")

    def weigh(self, signals: Signals, memory: Named) -> Weighing:
        is_in = has_loss(signals)
        inverse = inverses(signals.losses, is_in)
        scores = (inverse - ops.max(inverse)) / self.temperature  # the largest is 0: no overflow
        return Weighing(signals.loss_weights * shares(scores, is_in), memory)
