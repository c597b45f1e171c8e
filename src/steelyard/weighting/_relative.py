"""Losses seen relative to each other: as inverses, as ratios and as shares of a whole."""

from steelyard.arrays import Array, Losses, ops
from steelyard.weighting.base import Signals

SMALLEST = 1e-30  # a loss below it is zero: its inverse is not for float32
MOST = 1e12  # a ratio above it has long saturated any softmax
LOWEST = float("-inf")


def has_loss(signals: Signals) -> Array:
    """Returns whether each task [K] is active and its loss is not zero."""
    return ops.logical_and(signals.is_active, signals.losses > SMALLEST)


def inverses(losses: Losses, is_in: Array) -> Array:
    """Returns 1 / L [K] for the tasks that take part, and 0 for the others."""
    return ops.where(is_in, 1.0 / ops.where(is_in, losses, 1.0), 0.0)


def ratios(now: Losses, before: Losses) -> Array:
    """Returns now / before [K], and 1 where `before` is 0: there is nothing to compare with."""
    has_before = before > 0
    ratio = ops.where(has_before, now / ops.where(has_before, before, 1.0), 1.0)
    return ops.minimum(ratio, MOST)


def shares(scores: Array, is_in: Array) -> Array:
    """Returns the softmax [K] over the tasks that take part, and 0 for the others."""
    largest = ops.max(ops.where(is_in, scores, LOWEST))
    powers = ops.where(is_in, ops.exp(ops.where(is_in, scores - largest, 0.0)), 0.0)
    total = ops.sum(powers)
    return powers / ops.where(total > 0, total, 1.0)
