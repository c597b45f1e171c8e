"""GO4Align: tasks whose weights are alike are grouped, and share the mean of the group's."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.arrays import Named, ops
from steelyard.weighting._groups import group_means
from steelyard.weighting._relative import has_loss, inverses, shares
from steelyard.weighting.base import Claim, Signals, Weighing, Weighting


@dataclass(frozen=True, kw_only=True)
class GO4Align(Weighting):
    """Group optimization: scales the losses alike, favours the small, and weighs by group.

        q_k(t) ~ q_k(t-1) * exp( -eta * L_k(t) ),    sum_k q_k = 1

        v_k = q_k(t) * sum_j L_j(t) / L_k(t),    w_k = p_k * mean of v over the group of task k

    where L_k(t) is the loss of task k in step t, p_k its loss weight, sums are over the active
    tasks, and the groups are those of K-means on the numbers v (equations 3 and 5 to 7). q begins
    even. As it adds up losses in their own units, in the long run it favours the tasks of small
    losses.

    At K = 1 the weight is p_k. A task that is not active keeps its q, weighs 0 and is in no group;
    nor is one whose loss is zero. With as many groups as tasks, w_k = p_k * v_k.

    Departs from the paper: K-means is solved exactly, so that the groups depend on the numbers
    alone; the official code's search begins at random. The numerator of v is the losses' sum, as in
    that code, where the paper has their mean. The tasks' loss weights multiply the rule's.

    Attributes:
        n_groups: Groups of tasks, at most. The official code has no default.
        eta: The step of q. The official code's default is 1e-4.
    """

    n_groups: int = 2
    eta: float = 1e-4

    paper: ClassVar[str] = "shen2024go4align"
    claims: ClassVar = frozenset({Claim.EQUIVARIANT})

    def __post_init__(self) -> None:
        if self.n_groups < 1:
            raise ValueError(f"`n_groups` must be at least 1, got {self.n_groups}.")
        if not self.eta >= 0:
            raise ValueError(f"`eta` must not be negative, got {self.eta}.")

    def remember(self, n_tasks: int) -> Named:
        return {"log_q": ops.zeros(n_tasks)}  # up to a constant that all tasks share

    def weigh(self, signals: Signals, memory: Named) -> Weighing:
        fall = ops.where(signals.is_active, self.eta * signals.losses, 0.0)
        log_q = memory["log_q"] - fall
        is_in = has_loss(signals)
        total = ops.sum(ops.where(is_in, signals.losses, 0.0))
        values = shares(log_q, is_in) * total * inverses(signals.losses, is_in)
        means = group_means(values, is_in, self.n_groups)
        return Weighing(signals.loss_weights * means, {"log_q": log_q})
