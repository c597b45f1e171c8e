"""Running means that begin with the first value, so that none needs a correction later."""

from steelyard.arrays import Array, ops


def running_mean(
    mean: Array, count: Array, value: Array, is_known: Array, beta: float
) -> tuple[Array, Array]:
    """Returns the exponential mean of the known values, in float64, and their count.

    After n values x_1 ... x_n it is sum_i beta^(n - i) x_i / sum_i beta^(n - i): the average that
    begins at zero and is divided by 1 - beta^n. Where no value is known, nothing moves.
    """
    count = ops.cast(count, "float64") + ops.cast(is_known, "float64")
    discount = ops.power(ops.full_like(count, beta), ops.maximum(count, 1.0))
    rate = (1.0 - beta) / (1.0 - discount)
    mean = ops.cast(mean, "float64")
    return ops.where(is_known, mean + rate * (value - mean), mean), count


def first_mean(
    mean: Array, count: Array, value: Array, is_known: Array, n_first: int
) -> tuple[Array, Array]:
    """Returns the plain mean of the first `n_first` known values, in float64, and their count."""
    count = ops.cast(count, "float64")
    mean = ops.cast(mean, "float64")
    is_counted = ops.logical_and(is_known, count < n_first)
    count = count + ops.cast(is_counted, "float64")
    value = ops.cast(value, "float64")
    return ops.where(is_counted, mean + (value - mean) / ops.maximum(count, 1.0), mean), count
