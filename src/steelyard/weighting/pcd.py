"""PCD: the primary task's gradient, bent only as far as the other tasks need."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.arrays import Array, Named, ops
from steelyard.weighting._active_rows import ActiveRows, active_rows
from steelyard.weighting._cone import least_in_cone
from steelyard.weighting._running_mean import running_mean
from steelyard.weighting.base import Claim, Signals, UseOfLossWeights, Weighing, Weighting

SERVED = 1e-7  # of what is asked for: less is missing by rounding alone
SHORTEST = 1e-6  # a combination that cancels down to less of its terms is zero


@dataclass(frozen=True, kw_only=True)
class PCD(Weighting):
    """Priority-constrained descent: one task leads, and no other is left behind.

        d = argmin_d ||d - h_1||^2    with  h_k . d >= tau ||h_k||^2  for the other tasks k,
        and then given the length of g_1;    h_k = g_k / sqrt(v_k)

    where g_k is the gradient of task k on the shared parameters, task 1 stands for the primary one,
    and v_k is the exponential mean of ||g_k||^2, of decay `beta` and corrected for its start
    (Algorithm 1). In terms of the gradients d = sum_k w_k g_k, with w_k >= 0 a multiple of the
    multiplier of the k-th constraint: it is zero where the constraint holds by itself, and a
    program of K - 1 numbers that are not negative finds the rest. The direction of d does not see
    units; its length follows the primary task.

    At the first step v_k = ||g_k||^2. At K = 1 the weight is 1. A zero row weighs 0 and asks for
    nothing. Where the others cannot all be served, d is g_1, and the step is flagged as stationary;
    so it is where d is zero, which takes tau = 0. A step in which the primary task has no gradient
    is none: all weigh 0, as in the paper. What little is left of h_1 between nearly opposite tasks
    is made as long as g_1 too, and may then lead uphill for the primary task.

    Departs from the paper: no small number is added to v_k, and only tasks that are active and have
    a gradient move theirs; the tasks' loss weights are ignored, but for 0, which takes a task out.

    Attributes:
        primary: Which task leads, counted from zero in the order of the tasks.
        tau: What each of the others must gain, as a part of what its own gradient would gain it;
            the paper uses 0.02.
        beta: Decay of the mean of the squared lengths; the paper uses 0.999.
    """

    primary: int = 0
    tau: float = 0.02
    beta: float = 0.999

    paper: ClassVar[str] = "varam2026pcd"
    claims: ClassVar = frozenset({Claim.SCALE_FREE_DIRECTION})
    needs_gramian: ClassVar[bool] = True
    loss_weights: ClassVar[UseOfLossWeights] = "ignored"

    def __post_init__(self) -> None:
        if self.primary < 0:
            raise ValueError(f"`primary` must not be negative, got {self.primary}.")
        if not 0 <= self.tau <= 1:
            raise ValueError(f"`tau` must be between 0 and 1, got {self.tau}.")
        if not 0 <= self.beta < 1:
            raise ValueError(f"`beta` must be at least 0 and below 1, got {self.beta}.")

    def check(self, n_tasks: int) -> None:
        if self.primary >= n_tasks:
            raise ValueError(
                f"`primary` must be below {n_tasks}, the number of tasks, got {self.primary}."
            )

    def remember(self, n_tasks: int) -> Named:
        return {
            "norms": ops.zeros(n_tasks),  # root of the mean square of each gradient's length ...
            "count": ops.zeros(n_tasks),  # ... over this many steps
        }

    def weigh(self, signals: Signals, memory: Named) -> Weighing:
        rows = active_rows(signals)
        before = ops.square(ops.cast(memory["norms"], "float64"))
        squares, count = running_mean(
            before, memory["count"], ops.square(rows.norms), rows.is_present, self.beta
        )
        usual = ops.sqrt(squares)
        lengths = rows.norms / ops.where(usual > 0, usual, 1.0)  # of h_k
        x, is_stationary = self._bend(rows, lengths)
        weights = rows.norms[self.primary] * x * rows.inverse_norms
        dtype = signals.losses.dtype
        kept = {"norms": ops.cast(usual, dtype), "count": ops.cast(count, dtype)}
        return Weighing(ops.cast(weights, dtype), kept, is_stationary)

    def _bend(self, rows: ActiveRows, lengths: Array) -> tuple[Array, Array]:
        """Returns x [K] of d = sum_k x_k u_k, of length 1, and whether it stands in for a solution.

        Args:
            rows: The gradients, with u_k their directions.
            lengths: Those of the h_k [K].
        """
        is_primary = ops.arange(lengths.shape[0]) == self.primary
        lead = ops.where(is_primary, 1.0, ops.zeros_like(lengths))
        is_other = ops.logical_and(rows.is_present, ops.logical_not(is_primary))
        own = lengths[self.primary]
        # A constraint's multiplier stays zero where nothing is missing from what it asks for.
        missing = self.tau * lengths - own * rows.cosines[self.primary]
        missing = ops.where(is_other, missing, 0.0)
        both = ops.logical_and(is_other[:, None], is_other[None, :])
        identity = ops.eye(lengths.shape[0], dtype="float64")
        cosines = ops.where(both, rows.cosines, identity)
        multipliers = least_in_cone(cosines[None], missing[None])[0]
        left = missing - ops.matmul(cosines, multipliers[:, None])[:, 0]
        is_feasible = ops.max(left) <= SERVED * ops.max(ops.abs(missing))

        x = own * lead + ops.where(is_feasible, multipliers, 0.0)
        square = ops.sum(x * ops.matmul(rows.cosines, x[:, None])[:, 0])
        length = ops.sqrt(ops.maximum(square, 0.0))
        is_long = length > SHORTEST * ops.sum(x)
        x = ops.where(is_long, x / ops.where(is_long, length, 1.0), 0.0)
        has_lead = own > 0
        is_solved = ops.logical_and(is_feasible, is_long)
        return ops.where(has_lead, x, 0.0), ops.logical_and(has_lead, ops.logical_not(is_solved))
