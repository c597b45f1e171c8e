"""How good a set of points is, and how far one lies from a front; less is better on every head."""

from typing import Any

import numpy as np

from steelyard.analysis.evidence import Estimate, non_dominated

PLANE = 2


def hypervolume(points: Any, reference: Any) -> float:
    """Returns the volume of what the points dominate below a reference point, exactly.

    Two heads are swept. More are sliced head by head: of a point, in the order from the worst on
    the last head, only what no later point covers is added, and that is a volume of one head less
    (While, Bradstreet and Barone 2012, WFG). For N points the time is of order N^(K - 1) at worst;
    for many heads see `sampled_hypervolume`.

    Args:
        points: [N, K]; those not better than the reference on every head add nothing.
        reference: [K], or a number for all heads.

    Raises:
        ValueError: The shapes do not fit, or a number is not finite.
    """
    inside, corner = _inside(points, reference)
    return _volume(inside, corner)


def _volume(front: np.ndarray, corner: np.ndarray) -> float:
    """Returns the volume of points that all lie below the corner."""
    if len(front) == 0:
        return 0.0
    if len(front) == 1:
        return float(np.prod(corner - front[0]))
    if len(corner) == 1:
        return float(corner[0] - front.min())
    if len(corner) == PLANE:
        return _area(front, corner)
    front = np.unique(front[non_dominated(front)], axis=0)
    front = front[np.argsort(-front[:, -1], kind="stable")]
    depths = corner[-1] - front[:, -1]
    total = 0.0
    for n, point in enumerate(front[:, :-1]):
        covered = np.maximum(front[n + 1 :, :-1], point)  # every later point reaches as deep
        own = float(np.prod(corner[:-1] - point)) - _volume(covered, corner[:-1])
        total += float(depths[n]) * own
    return total


def _area(front: np.ndarray, corner: np.ndarray) -> float:
    """Returns the area of a staircase, from the left to the right."""
    ordered = front[np.lexsort((front[:, 1], front[:, 0]))]
    lowest = np.minimum.accumulate(ordered[:, 1])  # so far
    widths = np.diff(np.append(ordered[:, 0], corner[0]))
    return float(widths @ (corner[1] - lowest))


def sampled_hypervolume(
    points: Any, reference: Any, seed: int, n_samples: int = 20_000
) -> Estimate:
    """Returns the hypervolume by sampling, with the 95 % interval of the sampling.

    A box is drawn by its volume and a place in it evenly; the place counts one over the number of
    boxes around it. The relative error does not grow with the number of heads (Bringmann and
    Friedrich 2010), as that of places drawn from the whole space does.

    Raises:
        ValueError: As `hypervolume`.
    """
    front, corner = _inside(points, reference)
    if len(front) == 0:
        return Estimate(0.0, 0.0, n_samples)
    generator = np.random.default_rng(seed)
    volumes = np.prod(corner - front, axis=1)
    counts = generator.multinomial(n_samples, volumes / volumes.sum())
    parts = []
    for point, count in zip(front, counts, strict=True):
        places = point + generator.random((count, len(corner))) * (corner - point)
        parts.append(1 / (front[None] <= places[:, None]).all(axis=2).sum(axis=1))  # [count]
    drawn = float(volumes.sum()) * np.concatenate(parts)
    unseen = 3 / n_samples * float(volumes.sum())  # by the rule of three: overlaps none fell into
    half = 1.96 * float(drawn.std(ddof=1)) / n_samples**0.5 + unseen
    return Estimate(float(drawn.mean()), half, n_samples)


def normalised(points: Any, ideal: Any, nadir: Any) -> np.ndarray:
    """Returns points [N, K] on a scale where `ideal` [K] is 0 and `nadir` [K] is 1.

    Raises:
        ValueError: The nadir is not above the ideal on every head, or a number is not finite.
    """
    given = _points("points", points)
    low, high = (_corner(name, each, given) for name, each in (("ideal", ideal), ("nadir", nadir)))
    if not (high > low).all():
        raise ValueError(f"`nadir` must be above `ideal` on every head, got {high} over {low}.")
    return (given - low) / (high - low)


def igd(points: Any, front: Any) -> float:
    """Returns the mean distance from a front's points [M, K] to the nearest of `points` [N, K].

    The inverted generational distance, with distances by Euclid. It may call a dominated set the
    better one; `igd_plus` does not.
    """
    gaps = _gaps(points, front)
    return float(np.linalg.norm(gaps, axis=2).min(axis=1).mean())


def igd_plus(points: Any, front: Any) -> float:
    """Returns `igd` where only what a point is worse by counts (Ishibuchi et al. 2015)."""
    gaps = np.maximum(_gaps(points, front), 0)
    return float(np.linalg.norm(gaps, axis=2).min(axis=1).mean())


def epsilon_indicator(points: Any, front: Any) -> float:
    """Returns by how much `points` must improve on every head to dominate all of a front.

        max_z min_p max_k (p_k - z_k)

    Additive (Zitzler et al. 2003); below 0 where they do already, with that much to spare.
    """
    return float(_gaps(points, front).max(axis=2).min(axis=1).max())


def distance_to_front(point: Any, front: Any) -> float:
    """Returns how far a point [K] lies behind a front [N, K]; below 0 where it is beyond it.

        max_z min_k (p_k - z_k)

    That is -t for the smallest t with which some point z of the front dominates p + t, in each
    head at least as good. A point behind the front must improve by the distance on every head
    before nothing there dominates it; one beyond may get that much worse. The front is no more than
    its points: where they are few, a point between two of them counts as beyond (Xin et al. 2022
    ask for a dense sweep).

    Raises:
        ValueError: The front is empty, the shapes do not fit, or a number is not finite.
    """
    gaps = _gaps(front, np.atleast_2d(np.asarray(point, dtype="float64")))  # [1, N, K]
    return 0.0 - float(gaps.max(axis=2).min())


def non_dominated_share(points: Any, front: Any) -> float:
    """Returns the share of points [N, K] that no point of a front [M, K] dominates.

    A point dominates another if it is as good on every head, and better on one.

    Raises:
        ValueError: There are no points, the shapes do not fit, or a number is not finite.
    """
    gaps = _gaps(points, front)  # [M, N, K]
    is_beaten = (gaps >= 0).all(axis=2) & (gaps > 0).any(axis=2)
    return float(1 - is_beaten.any(axis=0).mean())


def _gaps(points: Any, front: Any) -> np.ndarray:
    """Returns every point less every point of a front [M, N, K]."""
    ours, theirs = _points("points", points), _points("front", front)
    if not len(ours) or not len(theirs) or ours.shape[1] != theirs.shape[1]:
        raise ValueError(
            "`points` and `front` must have points of as many heads, got shapes "
            f"{ours.shape} and {theirs.shape}."
        )
    return ours[None] - theirs[:, None]


def _inside(points: Any, reference: Any) -> tuple[np.ndarray, np.ndarray]:
    """Returns the points better than the reference on every head, and the reference [K]."""
    given = _points("points", points)
    corner = _corner("reference", reference, given)
    return given[(given < corner).all(axis=1)], corner


def _points(name: str, points: Any) -> np.ndarray:
    given = np.asarray(points, dtype="float64")
    if given.ndim != PLANE or not given.shape[1] or not np.isfinite(given).all():
        raise ValueError(f"`{name}` must be finite numbers [N, K], got {points}.")
    return given


def _corner(name: str, corner: Any, points: np.ndarray) -> np.ndarray:
    given = np.asarray(corner, dtype="float64")
    if given.shape not in {(), points.shape[1:]} or not np.isfinite(given).all():
        raise ValueError(f"`{name}` must be finite, one number a head, got {corner}.")
    return np.broadcast_to(given, points.shape[1:])
