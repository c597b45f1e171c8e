"""The quadratic program that the exact solvers share: a parabola's least point in the cone x >= 0.

Many problems of the same size are solved side by side. Each is

    minimise  x^T H x / 2 - b^T x    over x >= 0

with H [K, K] positive semi-definite and b in its range. The method is that of Lawson and Hanson
("Solving Least Squares Problems", 1974, chapter 23): from x = 0, free the entry that gains most,
go to the least point over the free entries, and close those that turn negative on the way. Every
point is better than the one before, so no set of free entries comes twice and the method ends; it
takes about K pivots.
"""

from collections.abc import Callable
from typing import NamedTuple

from steelyard.arrays import Array, ops

PIVOTS_PER_TASK = 20  # random problems, odd ones among them, take fewer than 3
TILT = 1e-8  # added to the diagonal of H: the rows behind it are then independent
ROUNDING = 1e-14  # of float64, on sums of K numbers around 1
TINIEST = 1e-300

# Solves H x = b [B, K] over the free entries; those that are not free are zero in both.
Solve = Callable[[Array, Array, Array], Array]


class Face(NamedTuple):
    """Where the descents stand: points whose entries are zero unless they are free."""

    point: Array  # [B, K]
    is_free: Array  # [B, K]
    is_done: Array  # [B]


def least_in_cone(hessian: Array, target: Array) -> Array:
    """Returns the least points x [B, K], for H [B, K, K] and b [B, K].

    Where there are many, it is the shortest of them: rows that repeat each other share evenly. To
    that end a slightly tilted problem goes first, whose least point is one; the problem itself is
    then solved from there.
    """
    tilted = hessian + TILT * ops.eye(hessian.shape[-1], dtype="float64")
    nothing = ops.zeros_like(target)
    face = _descend(Face(nothing, nothing > 0, nothing[:, 0] > 0), tilted, target, by_elimination)
    face = face._replace(is_done=nothing[:, 0] > 0)
    return _descend(face, hessian, target, by_spectrum).point


def pivot(face: Face, hessian: Array, target: Array, solve: Solve) -> Face:
    """Returns the next face of each descent that is not done."""
    free = ops.cast(face.is_free, "float64")
    restricted = hessian * free[:, :, None] * free[:, None, :]
    goal = free * solve(restricted, target * free, free)

    is_leaving = ops.logical_and(face.is_free, goal <= 0)
    length = ops.where(is_leaving, face.point - goal, 1.0)
    reach = ops.where(is_leaving, face.point / ops.maximum(length, TINIEST), 1.0)
    step = ops.min(reach, axis=1, keepdims=True)  # [B, 1], how much of the way the cone allows
    is_closed = ops.logical_and(is_leaving, reach <= step)
    is_free = ops.logical_and(face.is_free, ops.logical_not(is_closed))
    moved = ops.maximum(face.point + step * (goal - face.point), 0.0)
    point = ops.where(is_free, moved, 0.0)

    has_arrived = ops.logical_not(ops.any(is_leaving, axis=1))
    gain = ops.where(face.is_free, 0.0, target - _times(hessian, point))
    sizes = ops.sum(point, axis=1) + ops.max(ops.maximum(target, 0.0), axis=1)
    best = ops.arange(target.shape[1])[None, :] == ops.argmax(gain, axis=1)[:, None]
    is_better = ops.logical_and(best, gain > ROUNDING * sizes[:, None])
    is_opened = ops.logical_and(is_better, has_arrived[:, None])

    # An entry that was freed and closes at once gained by rounding alone: the descent is over.
    is_best = ops.logical_and(has_arrived, ops.logical_not(ops.any(is_opened, axis=1)))
    is_done = ops.logical_or(is_best, step[:, 0] <= 0)
    is_kept = face.is_done[:, None]
    return Face(
        point=ops.where(is_kept, face.point, point),
        is_free=ops.where(is_kept, face.is_free, ops.logical_or(is_free, is_opened)),
        is_done=ops.logical_or(face.is_done, is_done),
    )


def by_elimination(hessian: Array, target: Array, free: Array) -> Array:
    """Solves systems whose free part is positive definite."""
    outside = ops.eye(hessian.shape[-1], dtype="float64") * (1.0 - free)[:, None, :]
    return ops.solve(hessian + outside, target[:, :, None])[:, :, 0]


def by_spectrum(hessian: Array, target: Array, free: Array) -> Array:
    """Solves systems that may be singular: the shortest of the solutions."""
    values, vectors = ops.eigh(hessian)
    largest = ops.maximum(ops.max(values, axis=1, keepdims=True), 1.0)
    is_there = values > ROUNDING * largest
    inverse = ops.where(is_there, 1.0 / ops.where(is_there, values, 1.0), 0.0)
    return _times(vectors, inverse * _times(ops.transpose(vectors, (0, 2, 1)), target))


def cancels(cosines: Array, pulls: Array, share: float = 1e-6) -> Array:
    """Returns whether unit rows, pulled along by x [K] each, leave next to nothing of sum x."""
    left = ops.sum(pulls * ops.matmul(cosines, pulls[:, None])[:, 0])
    return left < ops.square(share * ops.sum(pulls))


def _descend(face: Face, hessian: Array, target: Array, solve: Solve) -> Face:
    """Pivots until every descent is done."""

    def goes_on(point: Array, is_free: Array, is_done: Array) -> Array:
        return ops.logical_not(ops.all(is_done))

    def step(*state: Array) -> Face:
        return pivot(Face(*state), hessian, target, solve)

    most = PIVOTS_PER_TASK * target.shape[1]
    return Face(*ops.while_loop(goes_on, step, face, maximum_iterations=most))


def _times(matrices: Array, vectors: Array) -> Array:
    return ops.matmul(matrices, vectors[:, :, None])[:, :, 0]
