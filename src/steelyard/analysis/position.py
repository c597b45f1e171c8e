"""Where a setting lies by the frontier of others, and how surely: differences paired by seed."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

from steelyard.analysis.evidence import LEVEL

FEWEST = 2  # seeds in common that give an interval


class Distance(NamedTuple):
    """How far a setting lies behind a frontier, below 0 beyond it, and the ends of its interval.

    The ends are NaN where fewer than two seeds are in common.
    """

    mean: float
    low: float
    high: float
    n: int  # seeds in common with the point of the frontier that has most

    @property
    def is_beyond(self) -> bool:
        """Whether it is clearly beyond: each point of the frontier is clearly worse on a head."""
        return bool(self.high < 0)

    @property
    def is_behind(self) -> bool:
        """Whether it is clearly behind: some point is clearly better on every head."""
        return bool(self.low > 0)


def position(ours: np.ndarray, others: Sequence[np.ndarray]) -> Distance | None:
    """Returns the distance of a setting's mean to the frontier of others' means.

        max_z min_k  mean_s (p_sk - z_sk)

    Single runs would seem to lie beyond by their noise alone: a run that is better on one head and
    worse on the other is dominated by neither, and min_k makes a gain of that. So seeds are
    averaged before, and the distance is a monotone function of the differences d_zk, whose ends
    give its own. Beyond is said of a setting if for every z some head is better: one of K tests
    a point, so each is at 1 / K of the level. Behind is said if some z is better on every
    head: one of N points, so each test is at 1 / N.

    Args:
        ours: Loss ratios [S, K] of the setting, seed by seed; NaN where one is not known.
        others: Of each point of the frontier, the same. Where any has two seeds in common with
            ours, one that has not is left out.

    Returns:
        The distance; None where no seed is in common with any.
    """
    gaps = [ours - each for each in others]  # [S, K] each
    gaps = [each[np.isfinite(each).all(axis=1)] for each in gaps]
    most = max(map(len, gaps), default=0)
    if not most:
        return None
    gaps = [each for each in gaps if len(each) >= min(most, FEWEST)]
    means = np.array([each.mean(axis=0) for each in gaps])  # [N, K]
    distance = _worst_of_best(means)
    if most < FEWEST:
        return Distance(distance, float("nan"), float("nan"), most)
    errors = np.array([each.std(axis=0, ddof=1) / np.sqrt(len(each)) for each in gaps])
    freedom = np.array([[len(each) - 1] for each in gaps])
    n_points, n_heads = means.shape
    up, down = (
        stats.t.ppf(1 - (1 - LEVEL) / 2 / n_tests, freedom) * errors
        for n_tests in (n_heads, n_points)
    )
    return Distance(distance, _worst_of_best(means - down), _worst_of_best(means + up), most)


def _worst_of_best(gaps: np.ndarray) -> float:
    """Returns the largest over points of the least over heads of differences [N, K]."""
    return float(gaps.min(axis=1).max()) + 0.0  # no -0
