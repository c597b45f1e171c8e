"""Numbers put into groups of like ones: K-means on a line, solved exactly."""

from steelyard.arrays import Array, ops

APART = 1e30  # the cost of what is not allowed


def group_means(values: Array, is_in: Array, n_groups: int) -> Array:
    """Returns each number's [K] group mean, for the grouping of least squared distance.

    On a line the groups are runs of the sorted numbers, so the best runs up to each place follow
    from the best up to earlier places. Numbers that do not take part cost nothing, and get 0.

    Args:
        values: The numbers [K], not negative.
        is_in: Which of them [K] take part.
        n_groups: The most groups there may be.
    """
    largest = ops.max(ops.where(is_in, values, 0.0))
    unit = ops.where(largest > 0, largest, 1.0)  # the squares of large ones would overflow
    order = ops.argsort(ops.where(is_in, values / unit, 2.0))  # the others stand at the end
    ordered = ops.take(ops.where(is_in, values / unit, 0.0), order)
    counts = ops.take(ops.cast(is_in, values.dtype), order)
    cost = _costs_of_runs(ordered, counts)  # [K + 1, K + 1]
    best, starts = cost[0], []  # [K + 1] least costs of the first numbers, in one group
    for _ in range(n_groups - 1):
        totals = best[:, None] + cost
        starts.append(ops.argmin(totals, axis=0))
        best = ops.min(totals, axis=0)

    places = ops.arange(values.shape[0])
    end = ops.cast(values.shape[0], "int32")
    means = ops.zeros_like(ordered)
    for start in [*reversed(starts), None]:
        begin = 0 if start is None else ops.cast(ops.take(start, end), "int32")
        is_here = ops.logical_and(places >= begin, places < end)
        here = ops.where(is_here, counts, 0.0)
        mean = ops.sum(here * ordered) / ops.maximum(ops.sum(here), 1.0)
        means = ops.where(here > 0, mean, means)
        end = begin
    return unit * ops.take(means, ops.argsort(order))


def _costs_of_runs(ordered: Array, counts: Array) -> Array:
    """Returns the squared distance to its mean of each run from one place to another, of K + 1."""
    n_values = ordered.shape[0]
    places, ends = ops.arange(n_values), ops.arange(n_values + 1)
    is_after = places[None, None, :] >= ends[:, None, None]
    is_before = places[None, None, :] < ends[None, :, None]
    run = ops.where(ops.logical_and(is_after, is_before), counts, 0.0)  # [K + 1, K + 1, K]
    mean = ops.sum(run * ordered, axis=-1) / ops.maximum(ops.sum(run, axis=-1), 1.0)
    cost = ops.sum(run * ops.square(ordered - mean[:, :, None]), axis=-1)
    return ops.where(ends[:, None] <= ends[None, :], cost, APART)
