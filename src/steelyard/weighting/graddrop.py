"""GradDrop: of each coordinate's gradients, only those of one sign pass, drawn by strength."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.arrays import Array, Named, ops
from steelyard.weighting.base import (
    Claim,
    Look,
    Signals,
    UseOfLossWeights,
    Weighing,
    Weighting,
)


@dataclass(frozen=True, kw_only=True)
class GradDrop(Weighting):
    """Gradient sign dropout: draws a sign for each coordinate, and drops gradients of the other.

        P_n = ( 1 + sum_k g_kn / sum_k |g_kn| ) / 2
        d_n = sum_k g_kn * ( 1 if the sign of g_kn was drawn, else leak ),    + with chance P_n

    where g_kn is the gradient of task k on the n-th of the shared parameters, the sums are over the
    active tasks, and every weight is 1 (P is equation 1). So on no coordinate does one task's
    gradient cancel another's. Larger gradients have more say in the draw: the rule sees units.

    Where all tasks agree on the sign, or at K = 1, nothing is dropped. A coordinate that no task
    moves stays so, and a zero row takes no part. A task that is not active weighs 0 and has no say.

    Departs from the paper: there the gradients are those on the output of the shared layers,
    multiplied by its sign and summed over the batch before they are compared; here they are those
    on the shared parameters. P is used as it is, where the paper allows a function of it; all tasks
    have one leak. The tasks' loss weights are ignored, but for 0, which takes a task out.

    Attributes:
        leak: Share of a dropped gradient that passes. With 0, as in LibMTL, none does; with 1
            nothing is dropped.
    """

    leak: float = 0.0

    paper: ClassVar[str] = "chen2020just"
    claims: ClassVar = frozenset({Claim.EQUIVARIANT, Claim.SUMS_TO_K})
    moves: ClassVar[bool] = False
    needs_coordinates: ClassVar[bool] = True
    loss_weights: ClassVar[UseOfLossWeights] = "ignored"

    def __post_init__(self) -> None:
        if not 0 <= self.leak <= 1:
            raise ValueError(f"`leak` must be between 0 and 1, got {self.leak}.")

    def weigh(self, signals: Signals, memory: Named) -> Weighing:
        return Weighing(ops.cast(signals.is_active, signals.losses.dtype), memory)

    def look(self, rows: Array, kept: Named, draws: Array, is_active: Array) -> Look:
        rows = ops.where(is_active[:, None], rows, 0.0)
        total = ops.sum(ops.abs(rows), axis=0)
        lean = ops.sum(rows, axis=0) / ops.where(total > 0, total, 1.0)
        is_up = draws < 0.5 * (1.0 + lean)  # [P]
        is_drawn = ops.where(is_up[None, :], rows > 0, rows < 0)
        passed = ops.where(is_drawn, rows, self.leak * rows)
        return Look(passed, kept, ops.zeros_like(rows[:, 0]))
