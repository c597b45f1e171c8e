"""FairGrad: each task's gain is a fair share, and alpha says what is fair."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.arrays import Named, ops
from steelyard.weighting._active_rows import active_rows
from steelyard.weighting._fair import fair
from steelyard.weighting.base import Claim, Signals, UseOfLossWeights, Weighing, Weighting

SHORTEST = 1e-5  # a combination that cancels down to less of its terms has lost its digits
TOLERANCE = 1e-3  # of the equation, in logarithms; it is met to rounding where it can be


@dataclass(frozen=True, kw_only=True)
class FairGrad(Weighting):
    """Alpha-fair allocation: of all steps of one length, the one of greatest total utility.

        G w = w^(-1 / alpha)  (element-wise),    w > 0,    d = sum_k w_k g_k

    where g_k is the gradient of task k on the shared parameters and G[j, k] = g_j . g_k; the
    utility of a gain a_k = g_k . d is a_k^(1 - alpha) / (1 - alpha). Alpha near 0 adds gains up, 1
    is proportional fairness (Nash-MTL), and a large one looks at the least gain only. No task
    conflicts with d. Solved exactly: with C the cosines of the rows and x_k = w_k ||g_k||, x is the
    least of a strictly convex function, found by Newton's method in float64.

    Only alpha = 1 does not see units; above it tasks with short gradients weigh more than they
    would there, below it those with long ones. Multiplying all losses by r multiplies all weights
    by r^(-2 alpha / (1 + alpha)).

    At K = 1 the weight is ||g||^(-2 alpha / (1 + alpha)). A zero row weighs 0. Rows that cancel
    (exactly opposite, or Pareto stationary) have no solution: each then weighs 1 / ||g_k||, and the
    step is flagged as stationary.

    Departs from the paper: solved as a convex problem, where the paper's code hands the equation to
    least squares, which is lost once gradients differ ten-thousandfold; the tasks' loss weights are
    ignored, but for 0, which takes a task out.

    Attributes:
        alpha: What is fair; scripts of the paper's code take 2. From 0.5 to 10 it is solved at any
            lengths of the gradients; beyond that, where they differ by many orders, float64 may
            not have the digits, and the step is then flagged as stationary.
    """

    alpha: float = 2.0

    paper: ClassVar[str] = "ban2024fair"
    claims: ClassVar = frozenset({Claim.EQUIVARIANT, Claim.NON_CONFLICTING})
    needs_gramian: ClassVar[bool] = True
    loss_weights: ClassVar[UseOfLossWeights] = "ignored"

    def __post_init__(self) -> None:
        if not self.alpha > 0:
            raise ValueError(f"`alpha` must be positive, got {self.alpha}.")

    def weigh(self, signals: Signals, memory: Named) -> Weighing:
        rows = active_rows(signals)
        power = 1.0 / self.alpha
        present = ops.cast(rows.is_present, "float64")
        logs = ops.log(ops.where(rows.is_present, rows.norms, 1.0))
        middle = ops.sum(logs) / ops.maximum(ops.sum(present), 1.0)
        log_forces = (power - 1.0) * ops.where(rows.is_present, logs - middle, 0.0)
        x = fair(rows.cosines, log_forces, power)

        pulls = ops.matmul(rows.cosines, x[:, None])[:, 0]  # u_k . d
        is_served = ops.all(pulls > 0)
        missed = power * ops.log(x) + ops.log(ops.where(pulls > 0, pulls, 1.0)) - log_forces
        is_met = ops.all(ops.abs(missed) < TOLERANCE)  # false for what is not a number
        length = ops.sqrt(ops.maximum(ops.sum(present * x * pulls), 0.0))
        is_long = length >= SHORTEST * ops.sum(present * x)
        is_solved = ops.logical_and(ops.logical_and(is_served, is_met), is_long)

        x = ops.exp(middle * (power - 1.0) / (1.0 + power)) * x
        weights = ops.where(is_solved, x, 1.0) * rows.inverse_norms
        dtype = signals.losses.dtype
        return Weighing(ops.cast(weights, dtype), memory, ops.logical_not(is_solved))
