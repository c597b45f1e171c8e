"""Nash-MTL: the step on which tasks that bargain as equals would agree."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.arrays import Array, Named, ops
from steelyard.weighting._unit_rows import unit_rows
from steelyard.weighting.base import Claim, Signals, UseOfLossWeights, Weighing, Weighting

N_NEWTON_STEPS = 40  # 30 leave a residual of 1e-12 on random problems; the rest is for odd ones
NEAR = 1.0 / 16.0  # squared Newton decrement below which full steps converge
LONGEST = 1e5  # a solution beyond it cancels its own digits: the rows are stationary
TOLERANCE = 1e-6  # of x_k (C x)_k = 1


@dataclass(frozen=True, kw_only=True)
class NashMTL(Weighting):
    """Nash bargaining: the weighted gradient d helps each task by 1 / w_k.

        G w = 1 / w  (element-wise),    w > 0,    d = sum_k w_k g_k

    where g_k is the gradient of task k on the shared parameters and G[j, k] = g_j . g_k (claim 3.1
    and Algorithm 1). Solved exactly: with C the cosines of the rows and x_k = w_k ||g_k||, x
    minimises the strictly convex x^T C x / 2 - sum_k log x_k, by a damped Newton iteration in
    float64. The solution does not see units: multiplying a task's loss by r divides its weight by r
    and leaves d where it was, and ||d||^2 = K always.

    At K = 1 the weight is 1 / ||g||. A zero row weighs 0. Rows that cancel (exactly opposite, or
    Pareto stationary) have no solution: each then weighs 1 / ||g_k||, and the step is flagged as
    stationary.

    Departs from the paper: solved exactly on unit rows in place of a sequence of convex programs,
    which is wrong once gradients differ tenfold; the norm of d is not clipped to 1; the tasks'
    loss weights are ignored, but for 0, which takes a task out.
    """

    paper: ClassVar[str] = "navon2022multi"
    claims: ClassVar = frozenset(
        {Claim.EQUIVARIANT, Claim.SCALE_FREE, Claim.SCALE_FREE_DIRECTION, Claim.NON_CONFLICTING}
    )
    needs_gramian: ClassVar[bool] = True
    loss_weights: ClassVar[UseOfLossWeights] = "ignored"

    def weigh(self, signals: Signals, memory: Named) -> Weighing:
        is_active = ops.cast(signals.is_active, "float64")
        rows = unit_rows(signals.gramian * is_active[:, None] * is_active[None, :])
        x, is_stationary = bargain(rows.cosines)
        weights = ops.where(is_stationary, 1.0, x) * rows.inverse_norms
        return Weighing(ops.cast(weights, signals.losses.dtype), memory, is_stationary)


def bargain(cosines: Array) -> tuple[Array, Array]:
    """Returns x [K] with x_k (C x)_k = 1, and whether there is none to be had."""

    def residual(x: Array) -> Array:
        return x * ops.matmul(cosines, x[:, None])[:, 0] - 1.0  # [K]

    def step(_: int, x: Array) -> Array:
        gradient = residual(x) / x
        hessian = cosines + ops.diag(1.0 / ops.square(x))
        move = -ops.solve(hessian, gradient[:, None])[:, 0]
        decrement = -ops.sum(gradient * move)  # the square of Newton's
        damping = 1.0 / (1.0 + ops.sqrt(ops.maximum(decrement, 0.0)))
        return x + ops.where(decrement >= NEAR, damping, 1.0) * move

    x = ops.fori_loop(0, N_NEWTON_STEPS, step, ops.ones_like(cosines[0]))
    has_settled = ops.max(ops.abs(residual(x))) < TOLERANCE
    is_bounded = ops.max(x) < LONGEST
    return x, ops.logical_not(ops.logical_and(has_settled, is_bounded))
