"""RLW: weights that are drawn anew in each step, for other methods to be better than."""

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from steelyard.arrays import Named, ops
from steelyard.weighting._relative import shares
from steelyard.weighting.base import Claim, Signals, Weighing, Weighting

Distribution = Literal["normal", "dirichlet"]

EDGE = 1e-7  # a draw so near to 0 or 1 stands for the end itself, where the scores are infinite


@dataclass(frozen=True, kw_only=True)
class RLW(Weighting):
    """Random loss weighting: the litmus test, in which nothing is known about the tasks.

        w_k = p_k * softmax_k( x_k ),    x_k drawn from a standard normal in each step

    where p_k is the loss weight of task k, and the softmax is over the tasks that take part
    (Algorithm 1 of the preprint); or, for `dirichlet`, w_k = p_k * e_k / sum_j e_j with e_k drawn
    from a standard exponential, which is uniform on all weights that sum to one. Either way each
    task's share is 1 / K on average, so that the mean step is that of equal weights at a K-th of
    the learning rate.

    At K = 1 the weight is p_k. A task that is not active weighs 0 and takes no share: the others'
    are those of fewer tasks.

    Departs from the paper: none for `normal`; the tasks' loss weights multiply the rule's.

    Attributes:
        distribution: Of the draws, `normal` or `dirichlet`. The paper compares several and uses
            the softmax of a standard normal.
    """

    distribution: Distribution = "normal"

    paper: ClassVar[str] = "lin2022reasonable"
    claims: ClassVar = frozenset({Claim.CONVEX, Claim.SUMS_TO_ONE, Claim.EQUIVARIANT})
    needs_draws: ClassVar[bool] = True

    def __post_init__(self) -> None:
        choices = get_args(Distribution)
        if self.distribution not in choices:
            raise ValueError(
                f"`distribution` must be one of {', '.join(choices)}, got {self.distribution!r}."
            )

    def weigh(self, signals: Signals, memory: Named) -> Weighing:
        own = ops.diagonal(ops.cast(signals.draws, "float64"))  # [K] which go with their tasks
        uniform = ops.clip(own, EDGE, 1.0 - EDGE)
        if self.distribution == "normal":
            scores = 2.0**0.5 * ops.erfinv(2.0 * uniform - 1.0)
        else:
            scores = ops.log(-ops.log(uniform))  # whose softmax divides exponentials by their sum
        given = ops.cast(shares(scores, signals.is_active), signals.losses.dtype)
        return Weighing(signals.loss_weights * given, memory)
