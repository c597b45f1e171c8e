"""Whether a difference between settings is more than their seeds: paired tests, many at once."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

from steelyard.analysis.evidence import LEVEL, Estimate, paired

PAIRED_T, WILCOXON = "paired t", "Wilcoxon signed rank"
FEWEST_FOR_WILCOXON = 10  # with 5 seeds its p is never below 0.06, whatever they say
FEWEST = 2
ROUNDING = 1e-12  # differences that vary by less than this share of the values do not vary


class Comparison(NamedTuple):
    """A difference of two settings, paired by seed, and its test."""

    difference: Estimate
    p: float  # two-sided; NaN where nothing can be tested
    test: str
    reason: str = ""  # why there is no p, or why it is 1


class Interval(NamedTuple):
    """The ends of a 95 % interval; NaN where there is none."""

    low: float
    high: float


class Share(NamedTuple):
    """A share of n trials, and the ends of its 95 % interval by Wilson; NaN where n is 0."""

    share: float
    low: float
    high: float
    n: int


def compared(one: Sequence[float], other: Sequence[float], test: str = PAIRED_T) -> Comparison:
    """Returns `one` less `other`, seed by seed, and how likely so much would be by chance.

    Seeds that did not finish in both are left out.

    Args:
        one: A value a seed.
        other: The same seeds of another setting.
        test: `PAIRED_T`, or `WILCOXON`, which needs ten seeds.

    Raises:
        ValueError: There is no such test, or the numbers of seeds differ.
    """
    if test not in {PAIRED_T, WILCOXON}:
        raise ValueError(f"`test` must be {PAIRED_T!r} or {WILCOXON!r}, got {test!r}.")
    if len(one) != len(other):
        raise ValueError(f"`other` must have {len(one)} seeds, as `one`, got {len(other)}.")
    pairs = np.array([one, other], dtype="float64")
    pairs = pairs[:, np.isfinite(pairs).all(axis=0)]
    gaps = pairs[0] - pairs[1]
    difference = paired(pairs[0].tolist(), pairs[1].tolist())
    p, reason = math.nan, ""
    if len(gaps) < FEWEST:
        reason = f"a test needs {FEWEST} seeds that finished in both, there is {len(gaps)}"
    elif test == WILCOXON and len(gaps) < FEWEST_FOR_WILCOXON:
        reason = f"{WILCOXON} needs {FEWEST_FOR_WILCOXON} seeds, there are {len(gaps)}"
    elif not gaps.any():
        p, reason = 1.0, "both are the same in every seed"
    elif np.ptp(gaps) <= ROUNDING * np.abs(pairs).max():
        reason = "the difference is the same in every seed: there is no noise to hold it against"
    else:
        found = stats.ttest_1samp(gaps, 0) if test == PAIRED_T else stats.wilcoxon(gaps)
        p = float(found.pvalue)
    return Comparison(difference, p, test, reason)


def holm(p_values: Sequence[float]) -> list[float]:
    """Returns p values adjusted for their number, by Holm's step-down rule (1979).

    The i-th smallest of m is multiplied by m - i + 1; none is below a smaller one's, or above 1.
    The chance that any of the true null hypotheses falls is then at most the level, whatever
    depends on what. NaN stays NaN, and does not count.

    Raises:
        ValueError: One is not between 0 and 1.
    """
    given = np.asarray(p_values, dtype="float64")
    if ((given < 0) | (given > 1)).any():
        raise ValueError(f"`p_values` must be between 0 and 1, got {list(p_values)}.")
    adjusted = np.full(len(given), math.nan)
    known = np.flatnonzero(~np.isnan(given))
    order = known[np.argsort(given[known], kind="stable")]
    factors = len(order) - np.arange(len(order))
    adjusted[order] = np.minimum(np.maximum.accumulate(factors * given[order]), 1)
    return [float(each) for each in adjusted]


def bootstrap(
    values: Sequence[float], seed: int, method: str = "BCa", n_resamples: int = 9999
) -> Interval:
    """Returns the 95 % interval of the mean over seeds, by resampling them.

    For a paired one, give differences. It asks for no normal distribution, but knows only the
    seeds it has: with fewer than about ten it is too narrow, and Student's (`estimate`) is the
    one to report.

    Args:
        values: A value a seed; NaN is left out.
        seed: Of the resampling.
        method: `BCa`, corrected for bias and skew, or `percentile`.
        n_resamples: How many times.
    """
    known = np.asarray(values, dtype="float64")
    known = known[~np.isnan(known)]
    if len(known) < FEWEST:
        return Interval(math.nan, math.nan)
    if np.ptp(known) == 0:  # every resample is the same
        return Interval(float(known[0]), float(known[0]))
    found: Any = stats.bootstrap(
        (known,),
        np.mean,
        confidence_level=LEVEL,
        n_resamples=n_resamples,
        method=method,
        random_state=np.random.default_rng(seed),
    )
    return Interval(*(float(each) for each in found.confidence_interval))


def share_of(n_true: int, n: int) -> Share:
    """Returns a share of n trials with its interval, which holds for few trials too.

    Raises:
        ValueError: More are true than there are.
    """
    if not 0 <= n_true <= n:
        raise ValueError(f"`n_true` must be between 0 and {n}, got {n_true}.")
    if n == 0:
        return Share(math.nan, math.nan, math.nan, 0)
    ends = stats.binomtest(n_true, n).proportion_ci(LEVEL, method="wilson")
    return Share(n_true / n, float(ends.low), float(ends.high), n)
