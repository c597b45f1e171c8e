"""PCGrad: each gradient loses what in it works against another task, one task after the other."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.arrays import Array, Named, ops
from steelyard.weighting._active_rows import active_rows
from steelyard.weighting._cone import cancels
from steelyard.weighting.base import Claim, Signals, UseOfLossWeights, Weighing, Weighting


@dataclass(frozen=True, kw_only=True)
class PCGrad(Weighting):
    """Gradient surgery: projects each gradient off those that it conflicts with, and sums.

        d = sum_i p_i h_i,    where h_i is g_i, and then for each other j, in a random order,
        h_i <- h_i - min(h_i . g_j, 0) g_j / ||g_j||^2

    where g_k is the gradient of task k on the shared parameters and p_k the task's loss weight
    (Algorithm 1). The order is drawn anew in each step and for each i. What is taken out lies along
    g_j as it was before any projection, so h_i is a sum of the g_j whose factors are not negative.
    It is linear in g_i and blind to the lengths of the others: to project the gradients of p_k L_k
    comes to the same. d is linear in the size of each gradient, and a task with small ones moves
    little.

    Gradients that do not conflict are summed. With two tasks no loss rises, and d is twice that of
    `UPGrad`; with more, a later projection may undo an earlier one, and d may conflict. At K = 1
    the weight is p. A zero row weighs 0 and turns no other. Where the rows cancel, d is next to
    nothing and the step is flagged.

    Departs from the paper: none; the tasks' loss weights multiply their losses. (The official code
    drops the result of its shuffle, so that its order is always the same. Like LibMTL, it projects
    h_i off g_i too, which counts where earlier projections have turned h_i against g_i.)
    """

    paper: ClassVar[str] = "yu2020gradient"
    claims: ClassVar = frozenset({Claim.EQUIVARIANT})
    needs_gramian: ClassVar[bool] = True
    needs_draws: ClassVar[bool] = True
    loss_weights: ClassVar[UseOfLossWeights] = "multiply"

    def weigh(self, signals: Signals, memory: Named) -> Weighing:
        rows = active_rows(signals)
        turned = ops.eye(rows.cosines.shape[0], dtype="float64")  # [K, K], h_i of unit rows
        for is_met in visits(signals.draws, rows.is_present):
            along = ops.matmul(turned, rows.cosines)
            turned = turned + ops.where(is_met, ops.maximum(-along, 0.0), 0.0)

        lengths = ops.cast(signals.loss_weights, "float64") * rows.norms
        pulls = ops.sum(lengths[:, None] * turned, axis=0)
        weights = ops.cast(pulls * rows.inverse_norms, signals.losses.dtype)
        return Weighing(weights, memory, cancels(rows.cosines, pulls))


def visits(draws: Array, is_present: Array) -> list[Array]:
    """Returns, for each turn, which other task j each task i meets: K times [K, K].

    The tasks that are present meet in the order of the numbers that were drawn for them.

    Args:
        draws: A row of numbers for each task [K, K].
        is_present: Which tasks have a gradient [K].
    """
    n_tasks = draws.shape[0]
    place = ops.argsort(ops.argsort(draws, axis=1), axis=1)
    is_other = ops.eye(n_tasks) == 0
    is_pair = ops.logical_and(is_present[:, None], is_present[None, :])
    is_pair = ops.logical_and(is_pair, is_other)
    return [ops.logical_and(is_pair, place == turn) for turn in range(n_tasks)]
