"""Combinations with wanted projections, by a pseudo-inverse that noise cannot shake."""

from typing import NamedTuple

from steelyard.arrays import Array, ops

RANK = 1e-12  # eigenvalues below it, in units of the largest, are zero
DOUBTFUL = 1e-5  # those below this one count only if ...
NOISE = 1e-6  # ... the projections ask for more of them than float32 can round away
TOLERANCE = 1e-5  # of C x = p
SHORTEST = 1e-5  # a combination that cancels down to less of its terms has lost its digits


class Combination(NamedTuple):
    """The coefficients x of sum_k x_k u_k, where each u_k has length 1."""

    x: Array  # [K]
    projections: Array  # [K] on each u_k
    is_unsolved: Array  # [] whether no combination has the projections: x misses them least
    is_cancelled: Array  # [] whether the terms cancel: x is then the projections themselves


def with_projections(cosines: Array, wanted: Array) -> Combination:
    """Returns the shortest combination whose projections on the directions are as wanted.

    Args:
        cosines: C [K, K], of the directions with each other.
        wanted: p [K], not negative; x solves C x = p.
    """
    values, vectors = ops.eigh(cosines)  # in ascending order
    asked = ops.abs(_product(ops.transpose(vectors), wanted))
    is_clear = ops.logical_or(values > DOUBTFUL * values[-1], asked > NOISE * ops.max(asked))
    is_kept = ops.logical_and(values > RANK * values[-1], is_clear)
    inverses = ops.where(is_kept, 1.0 / ops.where(is_kept, values, 1.0), 0.0)

    def inverted(p: Array) -> Array:
        return _product(vectors, inverses * _product(ops.transpose(vectors), p))

    x = inverted(wanted)
    x = x + inverted(wanted - _product(cosines, x))  # wins back the last digits
    projections = _product(cosines, x)
    is_unsolved = ops.max(ops.abs(projections - wanted)) > TOLERANCE * ops.max(wanted)
    length = ops.sqrt(ops.maximum(ops.sum(x * projections), 0.0))
    longest = ops.maximum(ops.sum(ops.abs(x)), ops.max(wanted))
    is_cancelled = length < SHORTEST * longest
    x = ops.where(is_cancelled, wanted, x)
    return Combination(x, _product(cosines, x), is_unsolved, is_cancelled)


def _product(matrix: Array, vector: Array) -> Array:
    return ops.matmul(matrix, vector[:, None])[:, 0]
