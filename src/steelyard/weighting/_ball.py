"""The vector within a ball that serves the worst-served task best."""

from steelyard.arrays import Array, ops
from steelyard.weighting._cone import (
    PIVOTS_PER_TASK,
    ROUNDING,
    TINIEST,
    Face,
    by_elimination,
    by_spectrum,
    least_in_cone,
    pivot,
)

TILT = 1e-13  # of the cosines, so that there is a solution where rows cancel
SHORT = 1e-3  # share of the radius by which only such a solution falls short of it
N_NEWTON_STEPS = 100  # random problems take 10 of them


def best_of_worst(
    cosines: Array, alignments: Array, prices: Array, radius: float
) -> tuple[Array, Array]:
    """Returns pulls y [K] >= 0 whose e = sum_k y_k u_k is best for the worst-served task.

        maximise  t    over  ||e|| <= radius,  h_k + u_k . e >= t p_k

    where u_k are unit rows with cosines C, h_k how well task k is served at the ball's centre,
    and p_k > 0 the price of serving it (0 leaves it out). The shortest e for a given t has y that
    minimises y^T C y / 2 - (t p - h)^T y over y >= 0, and its length is convex in t. So Newton's
    steps, from a t beyond reach, come down to the one for which e ends on the sphere.

    Also returns whether rows cancel and none does: then t = 0, and e is the shortest for that.
    """
    hessian = (cosines + TILT * ops.eye(cosines.shape[0], dtype="float64"))[None, :, :]
    face = _search(hessian, alignments[None, :], prices[None, :], radius)
    found = _polished(face, cosines, alignments, prices, radius)
    is_short = _length(cosines, face.point[0]) < (1.0 - SHORT) * radius
    at_rest = least_in_cone(cosines[None, :, :], -alignments[None, :])[0]
    return ops.where(is_short, at_rest, found), is_short


def _search(hessian: Array, alignments: Array, prices: Array, radius: float) -> Face:
    """Returns the face of the solution to the tilted problem, by pivots and Newton's steps."""

    def goes_on(t: Array, point: Array, is_free: Array, is_over: Array) -> Array:
        return ops.logical_not(ops.all(is_over))

    def step(t: Array, point: Array, is_free: Array, is_over: Array) -> tuple[Array, ...]:
        face = pivot(
            Face(point, is_free, is_over), hessian, t * prices - alignments, by_elimination
        )
        length = _length(hessian[0], face.point[0])
        slope = ops.sum(prices * face.point, axis=1, keepdims=True) / ops.maximum(length, TINIEST)
        nearer = t - (length - radius) / ops.maximum(slope, TINIEST)
        is_beyond = ops.logical_and(length > radius * (1.0 + ROUNDING), (nearer < t)[:, 0])
        is_next = ops.logical_and(face.is_done, is_beyond)
        return (
            ops.where(is_next[:, None], nearer, t),
            face.point,
            face.is_free,
            ops.logical_and(face.is_done, ops.logical_not(is_beyond)),
        )

    reach = (alignments + radius) / ops.where(prices > 0, prices, TINIEST)
    start = ops.min(ops.where(prices > 0, reach, 1.0 / TINIEST), axis=1, keepdims=True)
    nothing = ops.zeros_like(prices)
    state = (start, nothing, nothing > 0, nothing[:, 0] > 0)
    most = PIVOTS_PER_TASK * prices.shape[1] + N_NEWTON_STEPS
    _, *face = ops.while_loop(goes_on, step, state, maximum_iterations=most)
    return Face(*face)


def _polished(face: Face, cosines: Array, alignments: Array, prices: Array, radius: float) -> Array:
    """Returns the solution on a face of the problem as it is, without a tilt.

    On the face y = t a - b, and ||e|| = radius is a quadratic equation for t.
    """
    free = ops.cast(face.is_free, "float64")  # [1, K]
    restricted = cosines[None, :, :] * free[:, :, None] * free[:, None, :]
    targets = free * ops.stack([prices, alignments])  # [2, K]
    sides = by_spectrum(ops.concatenate([restricted, restricted]), targets, free)
    a, b = sides[0], sides[1]  # [K]

    rise, mixed, fixed = (_inner(cosines, *pair) for pair in ((a, a), (a, b), (b, b)))
    root = ops.sqrt(ops.maximum(ops.square(mixed) - rise * (fixed - radius**2), 0.0))
    y = (mixed + root) / ops.where(rise > 0, rise, 1.0) * a - b
    is_inside = ops.all(ops.logical_or(y > 0, ops.logical_not(face.is_free[0])))
    y = ops.where(is_inside, y, face.point[0])
    length = _length(cosines, y)
    return y * ops.where(length > 0, radius / ops.where(length > 0, length, 1.0), 0.0)


def _length(cosines: Array, pulls: Array) -> Array:
    return ops.sqrt(ops.maximum(_inner(cosines, pulls, pulls), 0.0))


def _inner(cosines: Array, one: Array, other: Array) -> Array:
    return ops.sum(one * ops.matmul(cosines, other[:, None])[:, 0])
