"""LR annealing: every task's gradient as large as that of one of them, on average."""

from dataclasses import dataclass
from typing import ClassVar

from steelyard.arrays import Array, Named, ops
from steelyard.weighting._running_mean import running_mean
from steelyard.weighting.base import Look, Signals, Weighing, Weighting

MOST = 1e30  # a ratio beyond it is not for float32


@dataclass(frozen=True, kw_only=True)
class LRAnnealing(Weighting):
    """Learning-rate annealing: follows how much smaller a gradient is than that of the reference.

        w_k = p_k * m_k,    m_k(t) = mean up to step t of  sum_i |g_ref[i]| / sum_i |g_k[i]|

    where g_k is the gradient of task k on the shared parameters, ref the reference task, i counts
    the coordinates, p_k is the task's loss weight, and m_k the exponential mean that gives alpha
    to the newest ratio, corrected for its start. The reference has m = 1. Among tasks that have
    been in a step with the reference, the direction of the weighted gradient does not see units;
    its length follows the reference.

    At the first step m_k is the ratio of that step. At K = 1 the weight is p_k. A task that is not
    active, or whose gradient is zero, weighs 0 and keeps its m_k. In a step without the reference
    the other tasks use the m_k that they have, and 1 where they have none: a reference that is
    never trained leaves the loss weights as they are.

    Departs from the paper: the ratio's numerator is the mean of |g_ref|, as in other
    implementations, where the paper has the largest (equation 40 of the preprint), which a single
    coordinate decides; m begins with the first ratio, where the paper's begins with 1 and is long
    in forgetting it. For the mean (equation 41) the preprint recommends alpha = 0.9, which gives
    nine tenths to the newest ratio; the published paper takes 0.1, as is done here, but puts m_k
    into g_k too (Algorithm 2.1), as its code does. A task that is nearly solved has a weight
    without bound, as in the paper.

    Attributes:
        alpha: What part the newest ratio is of the mean; the paper uses 0.1.
        reference: Which task the others follow, counted from zero in the order of the tasks.
    """

    alpha: float = 0.1
    reference: int = 0

    paper: ClassVar[str] = "wang2021understanding"
    needs_coordinates: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not 0 < self.alpha <= 1:
            raise ValueError(f"`alpha` must be above 0 and at most 1, got {self.alpha}.")
        if self.reference < 0:
            raise ValueError(f"`reference` must not be negative, got {self.reference}.")

    def check(self, n_tasks: int) -> None:
        if self.reference >= n_tasks:
            raise ValueError(
                f"`reference` must be below {n_tasks}, the number of tasks, got {self.reference}."
            )

    def remember(self, n_tasks: int) -> Named:
        return {
            "ratio": ops.zeros(n_tasks),  # running mean of the ratios ...
            "count": ops.zeros(n_tasks),  # ... over this many steps
        }

    def look(self, rows: Array, kept: Named, draws: Array, is_active: Array) -> Look:
        return Look(rows, kept, ops.cast(ops.sum(ops.abs(rows), axis=1), "float64"))

    def weigh(self, signals: Signals, memory: Named) -> Weighing:
        sizes = ops.cast(signals.statistic, "float64")
        is_sound = ops.logical_and(sizes > 0, ops.isfinite(sizes))
        is_present = ops.logical_and(signals.is_active, is_sound)
        is_known = ops.logical_and(is_present, is_present[self.reference])
        sizes = ops.where(is_known, sizes, 1.0)
        newest = ops.minimum(sizes[self.reference] / sizes, MOST)
        ratio, count = running_mean(
            memory["ratio"], memory["count"], newest, is_known, 1.0 - self.alpha
        )
        factors = ops.where(count > 0, ratio, 1.0)
        weights = ops.cast(signals.loss_weights, "float64") * factors
        weights = ops.where(is_present, weights, 0.0)
        dtype = signals.losses.dtype
        kept = {"ratio": ops.cast(ratio, dtype), "count": ops.cast(count, dtype)}
        return Weighing(ops.cast(weights, dtype), kept)
