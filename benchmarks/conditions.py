"""What a right direction is, method by method, without the code of any of them."""

import itertools
from collections.abc import Callable

import numpy as np


def lengths_of(rows: np.ndarray) -> np.ndarray:
    """Returns the lengths of the rows [K]."""
    return np.linalg.norm(rows, axis=1)


def units_of(rows: np.ndarray) -> np.ndarray:
    """Returns the directions of the rows [K, P]."""
    return rows / lengths_of(rows)[:, None]


def pulls_of(rows: np.ndarray, d: np.ndarray) -> np.ndarray:
    """Returns x [K] of d = sum_k x_k u_k, where u_k are the rows' directions."""
    return np.linalg.lstsq(units_of(rows).T, d, rcond=None)[0]


def distance(d: np.ndarray, wanted: np.ndarray) -> float:
    """Returns how far a vector is from another, in parts of the other's length."""
    return float(np.linalg.norm(d - wanted) / np.linalg.norm(wanted))


# The conditions: each takes a Jacobian [K, P], a direction d [P] and the orders of visits, and
# returns by how much d misses what its docstring says, in parts, so that 0 is exact.
Condition = Callable[[np.ndarray, np.ndarray, np.ndarray], float]


def is_shortest(rows: np.ndarray, d: np.ndarray, orders: np.ndarray) -> float:
    """No g_k . d is below the square of |d|, in parts of it; d is in the hull by construction."""
    return float(np.max(d @ d - rows @ d) / (d @ d))


def is_shortest_of_units(rows: np.ndarray, d: np.ndarray, orders: np.ndarray) -> float:
    """The condition of `mgda`, of the rows' directions."""
    return is_shortest(units_of(rows), d / np.sum(pulls_of(rows, d)), orders)


def is_mean_of_projections(rows: np.ndarray, d: np.ndarray, orders: np.ndarray) -> float:
    """The direction is the mean of the projections, each found by trying every set of tasks."""
    units = units_of(rows)
    sets = np.array(list(itertools.product([0.0, 1.0], repeat=len(rows))))[:, None, :]
    added = -np.swapaxes(sets, 1, 2) * (np.linalg.pinv(units.T * sets) @ units.T)  # [2^K, K, K]
    turned = units.T + units.T @ added  # [2^K, P, K]
    broken = np.maximum(-added.min(axis=1), -(units @ turned).min(axis=1))
    projected = turned[np.argmin(broken, axis=0), :, np.arange(len(rows))]  # [K, P]
    return distance(d, lengths_of(rows) @ projected / len(rows))


def is_projection(rows: np.ndarray, d: np.ndarray, orders: np.ndarray) -> float:
    """Multipliers and gains are not negative, and one of each pair is 0; in parts of the mean."""
    mean = rows.mean(axis=0)
    multipliers, gains = (
        each / np.linalg.norm(mean) for each in (pulls_of(rows, d - mean), units_of(rows) @ d)
    )
    return float(np.max([-multipliers, -gains, np.abs(multipliers * gains)]))


def is_bargain(rows: np.ndarray, d: np.ndarray, orders: np.ndarray) -> float:
    """w_k (G w)_k = 1 for every task."""
    return float(np.max(np.abs(pulls_of(rows, d) * (units_of(rows) @ d) - 1)))


def is_fair(rows: np.ndarray, d: np.ndarray, orders: np.ndarray) -> float:
    """w_k^(1/2) (G w)_k = 1 for every task (alpha is 2)."""
    weights = pulls_of(rows, d) / lengths_of(rows)
    return float(np.max(np.abs(np.sign(weights) * np.sqrt(np.abs(weights)) * (rows @ d) - 1)))


def is_best_for_the_worst(rows: np.ndarray, d: np.ndarray, orders: np.ndarray) -> float:
    """The worst task gains all that the dual allows; d is half of g_0's length from g_0."""
    mean = rows.mean(axis=0)
    size = np.linalg.norm(mean)
    shares = np.maximum(pulls_of(rows, d - mean), 0) / lengths_of(rows)
    combined = shares / shares.sum() @ rows
    bound = combined @ mean + 0.5 * size * np.linalg.norm(combined)
    gap = (bound - np.min(rows @ d)) / (size * np.linalg.norm(combined))
    return float(max(abs(gap), abs(2 * np.linalg.norm(d - mean) / size - 1)))


def has_equal_cosines(rows: np.ndarray, d: np.ndarray, orders: np.ndarray) -> float:
    """The direction has the same cosine with every gradient."""
    return float(np.ptp(units_of(rows) @ d) / np.linalg.norm(d))


def is_conflict_free(rows: np.ndarray, d: np.ndarray, orders: np.ndarray) -> float:
    """The direction has equal cosines with all gradients, and the length they agree on."""
    return max(has_equal_cosines(rows, d, orders), abs(np.sum(rows @ d) / (d @ d) - 1))


def is_aligned(rows: np.ndarray, d: np.ndarray, orders: np.ndarray) -> float:
    """The direction is the mean row of J's polar factor times its least singular value (SVD)."""
    left, values, right = np.linalg.svd(rows, full_matrices=False)
    return distance(d, values[-1] * left.mean(axis=0) @ right)


def follows_the_first(rows: np.ndarray, d: np.ndarray, orders: np.ndarray) -> float:
    """The condition of `dual_proj`, with gains from 0.02 and the first task's length."""
    pulls = pulls_of(rows, d)
    multipliers, gains = pulls[1:] / pulls[0], (units_of(rows) @ d / pulls[0] - 0.02)[1:]
    length = np.linalg.norm(d) / lengths_of(rows)[0]
    return float(np.max([*-multipliers, *-gains, *np.abs(multipliers * gains), abs(length - 1)]))


def is_turned_in_order(rows: np.ndarray, d: np.ndarray, orders: np.ndarray) -> float:
    """The direction is what the definition gives on J itself, in the same order."""
    targets = np.zeros((len(rows), len(rows)))
    for order in orders:
        turned = rows.copy()
        for i, j in ((i, j) for i, visited in enumerate(order) for j in visited):
            unit, length, t = (
                rows[j] / lengths_of(rows)[j],
                np.linalg.norm(turned[i]),
                targets[i, j],
            )
            cosine = turned[i] @ unit / length
            if cosine < t:
                turned[i] += length * (t * np.sqrt((1 - cosine**2) / (1 - t**2)) - cosine) * unit
            targets[i, j] = (t + cosine) / 2  # beta = 0.5
    return distance(d, turned.sum(axis=0))


def is_even(rows: np.ndarray, d: np.ndarray, orders: np.ndarray) -> float:
    """All weighted gradients are equally long."""
    pulls = pulls_of(rows, d)
    return float(np.ptp(pulls) / np.max(pulls))


CONDITIONS: dict[str, Condition] = {
    "aligned_mtl": is_aligned,
    "cagrad": is_best_for_the_worst,
    "con_fig": is_conflict_free,
    "db_mtl": is_even,
    "dual_proj": is_projection,
    "edm": is_shortest_of_units,
    "encodec": is_even,
    "fair_grad": is_fair,
    "gradnorm_closed": is_even,
    "gradvac": is_turned_in_order,
    "imtl_g": has_equal_cosines,
    "inverse_norm": is_even,
    "mgda": is_shortest,
    "nash_mtl": is_bargain,
    "pcd": follows_the_first,
    "pcgrad": is_turned_in_order,
    "upgrad": is_mean_of_projections,
}

# What differs by convention: what a peer's direction is multiplied by, given the Jacobian and our
# weights for it.
Factor = Callable[[np.ndarray, np.ndarray], float]


def by_lengths(rows: np.ndarray, weights: np.ndarray) -> float:
    """LibMTL leaves d in the units of normalised gradients: times our sum of w_k |g_k|."""
    return float(weights @ lengths_of(rows))


def by_sum(rows: np.ndarray, weights: np.ndarray) -> float:
    """The peers' weights sum to one, and of ours the sizes do: times the sum of our weights."""
    return float(np.sum(weights))


OTHER_RULES = {("LibMTL", "gradvac"), ("LibMTL", "pcgrad")}  # TEXTS says how they differ
CONVENTIONS: dict[str, Factor] = {"edm": by_lengths, "imtl_g": by_sum}
