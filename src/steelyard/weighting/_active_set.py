"""A quadratic's least value over numbers that are not negative, by turns of an active set."""

from steelyard.arrays import Array, ops

RIDGE = 1e-13  # of the diagonal: keeps dependent rows solvable, and what has no least finite
TOLERANCE = 1e-12  # of the slope at a number that stays zero


def least_quadratic(matrix: Array, pull: Array) -> Array:
    """Returns the y [K] >= 0 at which y^T A y / 2 - b . y is least.

    Numbers are freed one at a time, the one of the steepest slope first, and are bound again when
    the least of the free ones lies where some are negative: the way there is taken up to the first
    that reaches zero. Each turn lowers the value, so no set of free numbers comes twice. Where
    there is no least, y is some 1e13 times b.

    Args:
        matrix: A [K, K], symmetric and positive semi-definite, 1 on the diagonal.
        pull: b [K].
    """
    n = matrix.shape[0]
    identity = ops.eye(n, dtype="float64")
    matrix = matrix + RIDGE * identity
    places = ops.arange(n)

    def is_going(turn: Array, is_done: Array, y: Array, is_free: Array) -> Array:
        return ops.logical_and(ops.logical_not(is_done), turn < 4 * n)

    def take_turn(
        turn: Array, is_done: Array, y: Array, is_free: Array
    ) -> tuple[Array, Array, Array, Array]:
        both = ops.logical_and(is_free[:, None], is_free[None, :])
        bound_pull = ops.where(is_free, pull, 0.0)
        target = ops.solve(ops.where(both, matrix, identity), bound_pull[:, None])[:, 0]
        is_blocked = ops.logical_and(is_free, target <= 0)
        ways = ops.where(is_blocked, y / ops.where(is_blocked, y - target, 1.0), 2.0)
        way = ops.minimum(ops.min(ways), 1.0)
        is_bound = ops.logical_and(is_blocked, ways <= way)
        y = ops.where(is_bound, 0.0, ops.maximum(y + way * (target - y), 0.0))
        is_free = ops.logical_and(is_free, ops.logical_not(is_bound))

        slope = pull - ops.matmul(matrix, y[:, None])[:, 0]
        slope = ops.where(is_free, 0.0, slope)
        is_at_rest = ops.logical_not(ops.any(is_blocked))
        least = TOLERANCE * (ops.max(ops.abs(pull)) + ops.max(y))
        is_open = ops.logical_and(is_at_rest, ops.max(slope) > least)
        is_next = ops.logical_and(is_open, places == ops.cast(ops.argmax(slope), places.dtype))
        is_done = ops.logical_and(is_at_rest, ops.logical_not(is_open))
        return turn + 1, is_done, y, ops.logical_or(is_free, is_next)

    nothing = ops.zeros_like(pull)
    start = (ops.zeros((), dtype="int32"), ops.zeros((), dtype="bool"), nothing, nothing > 0)
    return ops.while_loop(is_going, take_turn, start)[2]
