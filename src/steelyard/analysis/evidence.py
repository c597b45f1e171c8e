"""Means with their intervals, and differences paired by seed."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

LEVEL = 0.95


class Estimate(NamedTuple):
    """A mean, and the half width of its 95 % interval; NaN where one seed gives none."""

    mean: float
    half: float
    n: int

    @property
    def low(self) -> float:
        """The lower end of the interval."""
        return self.mean - self.half

    @property
    def high(self) -> float:
        """The upper end of the interval."""
        return self.mean + self.half

    @property
    def is_apart_from_zero(self) -> bool:
        """Whether the interval leaves out zero."""
        return bool(self.low > 0 or self.high < 0)


def estimate(values: Sequence[float]) -> Estimate:
    """Returns the mean of values over seeds and its interval, by Student's t."""
    known = np.asarray([value for value in values if not math.isnan(value)], dtype="float64")
    n = len(known)
    if n == 0:
        return Estimate(math.nan, math.nan, 0)
    if n == 1:
        return Estimate(float(known[0]), math.nan, 1)
    error = float(known.std(ddof=1)) / math.sqrt(n)
    return Estimate(float(known.mean()), float(stats.t.ppf((1 + LEVEL) / 2, n - 1)) * error, n)


def paired(one: Sequence[float], other: Sequence[float]) -> Estimate:
    """Returns the mean of `one` less `other`, seed by seed, and its interval."""
    return estimate([a - b for a, b in zip(one, other, strict=True)])


def non_dominated(points: np.ndarray) -> np.ndarray:
    """Returns which points [N, K], of which less is better, no other point beats on every head."""
    is_best = np.ones(len(points), dtype=bool)
    for n, point in enumerate(points):
        beats = (points <= point).all(axis=1) & (points < point).any(axis=1)
        is_best[n] = not beats.any()
    return is_best
