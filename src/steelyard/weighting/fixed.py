"""Fixed: the user's own loss weights, from the first step to the last."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.arrays import Named
from steelyard.weighting.base import Claim, Signals, Weighing, Weighting


@dataclass(frozen=True, kw_only=True)
class Fixed(Weighting):
    """Weighs each loss by the number that the user gave it.

        w_k = loss_weights_k

    With equal weights this is unitary scalarization (equation 1), the baseline that every other
    method must beat when it is tuned as well as they are.

    Departs from the paper: none.
    """

    paper: ClassVar[str] = "kurin2022defense"
    claims: ClassVar = frozenset({Claim.SUMS_TO_K, Claim.EQUIVARIANT})
    moves: ClassVar[bool] = False

    def weigh(self, signals: Signals, memory: Named) -> Weighing:
        return Weighing(signals.loss_weights, memory)
