"""CAGrad: near the mean gradient, the step that is best for the task it serves worst."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from steelyard.arrays import Named, ops
from steelyard.weighting._active_rows import active_rows
from steelyard.weighting._ball import best_of_worst
from steelyard.weighting._cone import cancels
from steelyard.weighting._hull import in_units_of_the_largest
from steelyard.weighting._mean_gradient import pulls_of_the_mean
from steelyard.weighting.base import Claim, Signals, UseOfLossWeights, Weighing, Weighting

Rescale = Literal["none", "one_plus_c", "one_plus_c_squared"]
RESCALES = ("none", "one_plus_c", "one_plus_c_squared")
CANCELLED = 1e-8  # of the pulls in the mean gradient: what is left is rounding


@dataclass(frozen=True, kw_only=True)
class CAGrad(Weighting):
    """Conflict-averse gradient descent: gives the worst-served task the best of a ball.

        d = argmax_d min_k g_k . d    over ||d - g_0|| <= c ||g_0||,    g_0 = sum_k p_k g_k
          = g_0 + c ||g_0|| g_v / ||g_v||,    g_v = sum_k v_k g_k
        v = argmin_v g_v . g_0 + c ||g_0|| ||g_v||,    v >= 0,  sum_k v_k = 1

    where g_k is the gradient of task k on the shared parameters and p_k its share of the loss
    weights (equation 3 and Algorithm 1). The weights are those of d. With c = 0 it is the mean
    gradient; the larger c, the nearer to MGDA. Below c = 1 a task may lose: large gradients still
    lead.

    At K = 1 the weight is 1 + c, before rescaling. A zero row weighs 0, and the others share its
    p. Where g_v is zero, d is the nearest vector to g_0 that harms no task; where g_0 is zero, the
    weights are p; both flag the step.

    Departs from the paper: solved exactly, on unit rows, where the authors' code uses a general
    solver (SLSQP). That code and LibMTL divide the weights by 1 + c^2 unless told otherwise; the
    paper does not.

    Attributes:
        c: The ball's radius, in lengths of the mean gradient; 0.4 and 0.5 are common.
        rescale: What divides the weights: nothing (`none`), 1 + c (`one_plus_c`) or 1 + c^2
            (`one_plus_c_squared`).
    """

    c: float = 0.5
    rescale: Rescale = "none"

    paper: ClassVar[str] = "liu2021conflict"
    claims: ClassVar = frozenset({Claim.EQUIVARIANT})
    needs_gramian: ClassVar[bool] = True
    loss_weights: ClassVar[UseOfLossWeights] = "share"

    def __post_init__(self) -> None:
        if not self.c >= 0:
            raise ValueError(f"`c` must be at least 0, got {self.c}.")
        if self.rescale not in RESCALES:
            raise ValueError(f"`rescale` must be one of {', '.join(RESCALES)}, got {self.rescale}.")

    def weigh(self, signals: Signals, memory: Named) -> Weighing:
        rows = active_rows(signals)
        mean = pulls_of_the_mean(signals, rows)
        products = ops.matmul(rows.cosines, mean[:, None])[:, 0]  # [K] u_k . g_0
        length = ops.sqrt(ops.maximum(ops.sum(mean * products), 0.0))
        alignments = products / ops.where(length > 0, length, 1.0)
        prices = in_units_of_the_largest(rows.inverse_norms)
        pulls, is_cancelled = best_of_worst(rows.cosines, alignments, prices, self.c)

        is_lost = cancels(rows.cosines, mean, CANCELLED)
        pulls = mean + ops.where(is_lost, 0.0, length * pulls)
        divisors = {"none": 1.0, "one_plus_c": 1 + self.c, "one_plus_c_squared": 1 + self.c**2}
        weights = pulls * rows.inverse_norms / divisors[self.rescale]
        is_stationary = ops.logical_or(is_lost, ops.logical_and(is_cancelled, length > 0))
        return Weighing(ops.cast(weights, signals.losses.dtype), memory, is_stationary)
