"""ExcessMTL: a task that is far from where it could be weighs more, whatever its noise."""

import math
from dataclasses import dataclass
from typing import ClassVar

from steelyard.arrays import Array, Named, ops
from steelyard.weighting._relative import LOWEST, ratios, shares
from steelyard.weighting.base import (
    Claim,
    Look,
    Signals,
    UseOfLossWeights,
    Weighing,
    Weighting,
)

SMALL = 1e-7  # of squares; the official code's


@dataclass(frozen=True, kw_only=True)
class ExcessMTL(Weighting):
    """Excess risks: weighs by estimates of how far each loss still is above its least.

        w_k(t) = p_k v_k(t) / sum_j p_j v_j(t),    v_k(t) = v_k(t-1) exp( eta e_k(t) / e_k(first) )
        e_k(t) = sum_n g_kn(t)^2 / sqrt( S_kn(t) + 1e-7 ),    S_kn(t) = sum of g_kn^2 up to step t

    where g_kn is the gradient of task k on the n-th of the shared parameters, p_k the task's loss
    weight, and the sum over j is over the active tasks. e_k stands for the loss above the least
    that noise allows, with the root of S in place of a curvature; relative to its first value it
    does not see units, as long as squared gradients are well above 1e-7. The weights do not undo
    units: of two losses, the larger keeps its larger gradient.

    At the first step the weights are the shares of p, and at K = 1 the weight is 1. What one ratio
    is above another adds up in log v, and in a long training a task may come to have all weight, at
    a speed that eta sets. A task that is not active, or whose gradient is zero, weighs 0 in that
    step and keeps its v and S. The v of the others is divided by a number: they exchange weight
    among themselves, and keep what they had together. v is kept as a logarithm, so that no length
    of training overflows.

    Departs from the paper: weights move from the start, as in LibMTL, without epochs in which S
    alone is gathered (an option of TorchJD); loss weights are the shares that the weights begin
    with. LibMTL's weights sum to K. TorchJD's first step takes e itself for its ratio to the first,
    so that the task of the largest unit is ahead from there.

    Attributes:
        eta: The step of log v. LibMTL uses 1e-2; TorchJD 1, with which one task soon has it all.
    """

    eta: float = 1e-2

    paper: ClassVar[str] = "he2024robust"
    claims: ClassVar = frozenset({Claim.CONVEX, Claim.SUMS_TO_ONE, Claim.EQUIVARIANT})
    needs_coordinates: ClassVar[bool] = True
    keeps: ClassVar[tuple[str, ...]] = ("squares",)
    loss_weights: ClassVar[UseOfLossWeights] = "share"

    def __post_init__(self) -> None:
        if not self.eta >= 0:
            raise ValueError(f"`eta` must not be negative, got {self.eta}.")

    def remember(self, n_tasks: int) -> Named:
        return {
            "first": ops.zeros(n_tasks),  # the first e that is not zero
            "log_v": ops.full((n_tasks,), -math.log(n_tasks)),  # even, and of sum one
        }

    def look(self, rows: Array, kept: Named, draws: Array, is_active: Array) -> Look:
        seen = ops.where(is_active[:, None], rows, 0.0)
        squares = kept["squares"] + ops.where(ops.isfinite(seen), ops.square(seen), 0.0)
        risks = seen * (seen / ops.sqrt(squares + SMALL))
        return Look(rows, {"squares": squares}, ops.sum(ops.cast(risks, "float64"), axis=1))

    def weigh(self, signals: Signals, memory: Named) -> Weighing:
        risks = ops.cast(signals.statistic, "float64")
        is_sound = ops.logical_and(risks > 0, ops.isfinite(risks))
        is_in = ops.logical_and(signals.is_active, is_sound)
        first = ops.cast(memory["first"], "float64")
        first = ops.where(ops.logical_and(is_in, first <= 0), risks, first)

        log_v = ops.cast(memory["log_v"], "float64")
        log_p = ops.log(ops.where(is_in, ops.cast(signals.loss_weights, "float64"), 1.0))
        grown = log_v + self.eta * ratios(risks, first)
        before = ops.logsumexp(ops.where(is_in, log_p + log_v, LOWEST))
        after = ops.logsumexp(ops.where(is_in, log_p + grown, LOWEST))
        log_v = ops.where(is_in, grown - (after - before), log_v)

        dtype = signals.losses.dtype
        weights = ops.cast(shares(log_p + log_v, is_in), dtype)
        return Weighing(weights, {"first": ops.cast(first, dtype), "log_v": ops.cast(log_v, dtype)})
