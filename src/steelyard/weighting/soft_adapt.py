"""SoftAdapt: a task whose loss has just fallen less than the others' weighs more."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.arrays import Named, ops
from steelyard.weighting._relative import ratios, shares
from steelyard.weighting.base import Claim, Signals, Weighing, Weighting


@dataclass(frozen=True, kw_only=True)
class SoftAdapt(Weighting):
    """Weighs each task by a softmax of how its loss has changed from one window to the next.

        w_k = p_k * softmax_k( beta * r_k ),    r_k = L_k(t) / L_k(t-1)

    where L_k(t) is the mean loss of task k over the labelled examples of its last full window of
    `window` steps, this step included, L_k(t-1) that of the window before, and p_k the task's loss
    weight. Before a task has two windows, or after one of loss zero, its r is 1. The first steps
    therefore weigh p_k / K, with K the number of active tasks; at K = 1 the weight is p_k.

    A task that is not active weighs 0 and takes no share; its windows count only the steps in
    which it is. With `window` at an epoch's steps the rule is DWA's at T = 1 / beta, over K.

    Departs from the paper: r is the ratio of losses, as in PhysicsNeMo. The paper's is their
    difference (section 3.1.1), which has the loss's unit: it gives a loss of a thousand times the
    size all of the weight or none. Its two variants, normalised and weighted by the losses, are
    left out.

    Attributes:
        beta: How strongly a change tells. Positive favours the slowest task, negative the fastest;
            PhysicsNeMo's is 1, and that of the published example 0.1, for differences.
        window: Steps over which a loss is averaged. 1, the default, compares single batches.
    """

    beta: float = 1.0
    window: int = 1

    paper: ClassVar[str] = "heydari2019softadapt"
    claims: ClassVar = frozenset({Claim.CONVEX, Claim.SUMS_TO_ONE, Claim.EQUIVARIANT})

    def __post_init__(self) -> None:
        if self.window < 1:
            raise ValueError(f"`window` must be at least 1, got {self.window}.")

    def remember(self, n_tasks: int) -> Named:
        return {
            "older": ops.zeros(n_tasks),  # mean losses of the window before last; 0 is none
            "newer": ops.zeros(n_tasks),  # mean losses of the last full window
            "total": ops.zeros(n_tasks),  # summed losses of this window so far ...
            "count": ops.zeros(n_tasks),  # ... over this many labelled examples ...
            "steps": ops.zeros(n_tasks),  # ... in this many steps
        }

    def weigh(self, signals: Signals, memory: Named) -> Weighing:
        is_active = signals.is_active
        total = memory["total"] + ops.where(is_active, signals.losses * signals.counts, 0.0)
        count = memory["count"] + ops.where(is_active, signals.counts, 0.0)
        steps = memory["steps"] + ops.where(is_active, ops.ones_like(total), 0.0)

        is_full = steps >= self.window
        mean = total / ops.where(count > 0, count, 1.0)
        older = ops.where(is_full, memory["newer"], memory["older"])
        newer = ops.where(is_full, mean, memory["newer"])
        return Weighing(
            signals.loss_weights * shares(self.beta * ratios(newer, older), is_active),
            {
                "older": older,
                "newer": newer,
                "total": ops.where(is_full, 0.0, total),
                "count": ops.where(is_full, 0.0, count),
                "steps": ops.where(is_full, 0.0, steps),
            },
        )
