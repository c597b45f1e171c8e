"""One number for all heads: changes against a reference, ranks, unevenness."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy import stats

Change = Callable[[np.ndarray, np.ndarray], np.ndarray]


def delta_m_pct_lower_better(
    values: Sequence[Any], references: Sequence[Any], more_is_better: Sequence[Any]
) -> float:
    """Returns the mean relative change against the references, in per cent; less is better.

        100 / K  sum_k  mean_m  (-1)^[more is better]  (M_km - B_km) / B_km

    M_km is metric m of head k and B_km its reference, as of the head trained alone. Metrics are
    averaged within their head first, so that a head with many counts once. The sign is that of
    Nash-MTL (Navon et al. 2022) and FAMO (Liu et al. 2023); LibMTL's has the opposite one.

    It has no bound where a reference is near 0, and is unsteady for an error that is nearly 0. A
    reference below 0, as R2 may have, would turn its sign; so it is refused. A measure with an
    offset (AUC starts at 0.5) moves less, in per cent, than one without: heads of unlike measures
    do not count alike. `delta_log_lower_better` is the mild form: to halve and to double weigh the
    same there.

    Args:
        values: For each of K heads a number, or one for each of its metrics.
        references: The same, of what it is held against.
        more_is_better: The same, whether more of it is better.

    Returns:
        The change; NaN where a value is NaN: no head is left out unseen.

    Raises:
        ValueError: The shapes differ, or a reference is not finite and above 0.
    """
    return 100 * _over_heads(values, references, more_is_better, lambda m, b: (m - b) / b)


def delta_log_lower_better(
    values: Sequence[Any], references: Sequence[Any], more_is_better: Sequence[Any]
) -> float:
    """Returns the mean logarithm of values over references; less is better.

        1 / K  sum_k  mean_m  s_km log(M_km / B_km),    s = -1 where more is better, else 1

    For arguments, result and errors see `delta_m_pct_lower_better`.

    Raises:
        ValueError: As there; or a value is not above 0.
    """
    for head in values:
        if (np.asarray(head, dtype="float64") <= 0).any():
            raise ValueError(f"`values` must be above 0, got {head}.")
    return _over_heads(values, references, more_is_better, lambda m, b: np.log(m / b))


def _over_heads(
    values: Sequence[Any], references: Sequence[Any], more_is_better: Sequence[Any], change: Change
) -> float:
    """Returns the mean over the heads of the mean over a head's metrics of their signed change."""
    if not 0 < len(values) == len(references) == len(more_is_better):
        sizes = f"{len(values)}, {len(references)} and {len(more_is_better)}"
        raise ValueError(
            "`values`, `references` and `more_is_better` must have an entry for each head, "
            f"got {sizes}."
        )
    heads = []
    for value, reference, is_more in zip(values, references, more_is_better, strict=True):
        metrics, against = (
            np.atleast_1d(np.asarray(each, dtype="float64")) for each in (value, reference)
        )
        signs = np.where(np.atleast_1d(np.asarray(is_more, dtype=bool)), -1.0, 1.0)
        if not metrics.shape == against.shape == signs.shape or not metrics.size:
            raise ValueError(
                f"`references` must have a number for each metric of a head, got {reference} "
                f"for {value}."
            )
        if not (np.isfinite(against) & (against > 0)).all():
            raise ValueError(f"`references` must be finite and above 0, got {reference}.")
        heads.append(float(np.mean(signs * change(metrics, against))))
    return float(np.mean(heads))


def mean_ranks(values: Any, more_is_better: Sequence[bool]) -> np.ndarray:
    """Returns the mean over the heads of each method's rank, seed by seed; 1 is the best.

    Ties share the mean of their ranks. A NaN comes last, together with other NaNs: the others'
    ranks do not depend on how many runs ended. A rank depends on who else takes part (Xin et al.
    2022), so name the pool with it; and it tells nothing of by how much.

    Args:
        values: [methods, seeds, heads].
        more_is_better: [heads].

    Returns:
        [methods, seeds].

    Raises:
        ValueError: The shapes do not fit.
    """
    measured = np.asarray(values, dtype="float64")
    is_more = np.asarray(more_is_better, dtype=bool)
    if measured.ndim != 3 or is_more.shape != measured.shape[2:] or not is_more.size:  # noqa: PLR2004
        raise ValueError(
            "`values` must be [methods, seeds, heads] with `more_is_better` [heads], got shapes "
            f"{measured.shape} and {is_more.shape}."
        )
    costs = np.where(is_more, -measured, measured)
    costs = np.where(np.isnan(costs), np.inf, costs)
    return np.asarray(stats.rankdata(costs, axis=0)).mean(axis=2)


def gini(shares: Any) -> float:
    """Returns how unevenly shares [K] are spread: 0 for all alike, (K - 1) / K where one has all.

        sum_i sum_j |x_i - x_j|  /  (2 K sum_i x_i)

    They need not sum to one. NaN where a share is.

    Raises:
        ValueError: A share is below 0, or none is above it.
    """
    ordered = np.sort(np.asarray(shares, dtype="float64").ravel())
    if np.isnan(ordered).any():
        return float("nan")
    if not np.isfinite(ordered).all() or (ordered < 0).any() or not ordered.sum() > 0:
        raise ValueError(f"`shares` must be 0 or more, not all 0, and finite, got {shares}.")
    n = len(ordered)
    places = 2 * np.arange(1, n + 1) - n - 1  # of a sorted list, the sum over pairs is linear
    return float(places @ ordered / (n * ordered.sum()))
