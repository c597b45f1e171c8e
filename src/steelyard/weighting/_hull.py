"""The shortest vector in the convex hull of the tasks' gradients, from inner products alone."""

from steelyard.arrays import Array, ops
from steelyard.weighting._cone import least_in_cone


def shortest_in_hull(cosines: Array, prices: Array) -> Array:
    """Returns the pulls x [B, K] that minimise ||sum_k x_k u_k|| for a budget of one.

        minimise  x^T C x    over  x >= 0,  sum_k p_k x_k = 1

    where C holds the cosines of the unit rows u_k, and p_k is the price of a pull. With p_k = 1
    the hull is that of the unit rows; with p_k = 1 / ||g_k|| it is that of the gradients g_k
    themselves, and the weight of g_k is p_k x_k. A row with a price of zero is left out.

    Where y >= 0 minimises y^T (C + p p^T) y / 2 - p^T y, which asks for a sum of one without
    insisting on it, x is y scaled to the budget.
    """
    prices = in_units_of_the_largest(prices)
    hessian = cosines + prices[:, :, None] * prices[:, None, :]
    pulls = least_in_cone(hessian, prices)
    return pulls / _or_one(ops.sum(prices * pulls, axis=1, keepdims=True))


def in_units_of_the_largest(values: Array) -> Array:
    """Returns values [..., K] >= 0 divided by the largest of them, if that is above zero."""
    return values / _or_one(ops.max(values, axis=-1, keepdims=True))


def summed_to_one(weights: Array) -> Array:
    """Returns weights [K] >= 0 divided by their sum, if that is above zero."""
    return weights / _or_one(ops.sum(weights))


def _or_one(value: Array) -> Array:
    return ops.where(value > 0, value, 1.0)
