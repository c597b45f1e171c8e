"""GradVac: each pair of gradients is turned to the angle that it usually has."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.arrays import Named, ops
from steelyard.weighting._active_rows import active_rows
from steelyard.weighting._cone import cancels
from steelyard.weighting.base import Claim, Signals, UseOfLossWeights, Weighing, Weighting
from steelyard.weighting.pcgrad import visits

NEAREST = 0.99  # the largest target: one correction lengthens a gradient sevenfold at most
SHORTEST = 1e-6  # a sum that cancels down to less of its terms is zero


@dataclass(frozen=True, kw_only=True)
class GradVac(Weighting):
    """Gradient vaccine: PCGrad with a cosine to reach for each pair of tasks, learned on the way.

        d = sum_i p_i h_i,    where h_i is g_i, and then for each other j, in a random order,
        h_i <- h_i + ||h_i|| ( t sqrt(1 - c^2) / sqrt(1 - t^2) - c ) g_j / ||g_j||    if c < t
        t   <- (1 - beta) t + beta c        with c = cos(h_i, g_j) as it was, and t for t_ij

    where g_k is the gradient of task k on the shared parameters, p_k the task's loss weight, and
    t_ij the target of the pair. The order is drawn anew in each step and for each i, and each pair
    meets once. After a correction cos(h_i, g_j) is t_ij. As in `PCGrad`, only g_j with factors that
    are not negative are added, and h_i is linear in g_i and blind to the lengths of the others.

    Targets begin at 0, so the first step is that of `PCGrad`. At K = 1 the weight is p. A pair of
    which one task is not active or has no gradient keeps its target. A gradient that has become
    zero (its task met an exactly opposite one) has no cosine: it stays zero, and its remaining
    targets do not move. Where the rows cancel, d is next to nothing and the step is flagged.

    Departs from the paper: a target is held between -0.99 and 0.99 where it is used, since a
    correction grows without bound as it comes near 1; gradients are compared whole, not layer by
    layer; loss weights multiply the losses. LibMTL moves a target only where it corrects, and so
    only downwards.

    Attributes:
        beta: Rate of the targets; the paper uses 1e-2, LibMTL and TorchJD 0.5. With 0 it is PCGrad.
    """

    beta: float = 1e-2

    paper: ClassVar[str] = "wang2021gradient"
    claims: ClassVar = frozenset({Claim.EQUIVARIANT})
    needs_gramian: ClassVar[bool] = True
    needs_draws: ClassVar[bool] = True
    loss_weights: ClassVar[UseOfLossWeights] = "multiply"

    def __post_init__(self) -> None:
        if not 0 <= self.beta <= 1:
            raise ValueError(f"`beta` must be between 0 and 1, got {self.beta}.")

    def remember(self, n_tasks: int) -> Named:
        return {"targets": ops.zeros((n_tasks, n_tasks))}  # of h_i, the row, with g_j, the column

    def weigh(self, signals: Signals, memory: Named) -> Weighing:
        rows = active_rows(signals)
        before = ops.cast(memory["targets"], "float64")
        wanted = ops.clip(before, -NEAREST, NEAREST)
        slope = wanted / ops.sqrt(1.0 - ops.square(wanted))

        turned = ops.eye(rows.cosines.shape[0], dtype="float64")  # [K, K], h_i of unit rows
        targets = before
        for is_met in visits(signals.draws, rows.is_present):
            along = ops.matmul(turned, rows.cosines)
            length = ops.sqrt(ops.maximum(ops.sum(turned * along, axis=1, keepdims=True), 0.0))
            is_there = length > SHORTEST * ops.sum(turned, axis=1, keepdims=True)
            is_seen = ops.logical_and(is_met, is_there)
            cosine = ops.clip(along / ops.where(is_there, length, 1.0), -1.0, 1.0)
            needed = length * (slope * ops.sqrt(1.0 - ops.square(cosine)) - cosine)
            is_low = ops.logical_and(is_seen, cosine < wanted)
            turned = turned + ops.where(is_low, needed, 0.0)
            targets = ops.where(is_seen, before + self.beta * (cosine - before), targets)

        lengths = ops.cast(signals.loss_weights, "float64") * rows.norms
        pulls = ops.sum(lengths[:, None] * turned, axis=0)
        dtype = signals.losses.dtype
        weights = ops.cast(pulls * rows.inverse_norms, dtype)
        kept = {"targets": ops.cast(targets, dtype)}
        return Weighing(weights, kept, cancels(rows.cosines, pulls))
