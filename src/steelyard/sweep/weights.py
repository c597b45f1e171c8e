"""Loss weights as numbers and as words: the largest is 1, and all are short."""

from collections.abc import Mapping

import numpy as np

from steelyard.arrays import Array

DIGITS = 3  # of a weight: labels stay readable, and ratios are right to half a percent

Point = tuple[float, ...]  # a weight a head, the largest of them 1


def laid(shares: Array, decades: float) -> Array:
    """Returns the factors [K] that a point [K] of the unit cube stands for; zeros stand for ones.

    Weights of which the largest is 1 are K cubes: which head is largest, and how many decades each
    other one is below it. The first share picks the cube, the others the place in it.
    """
    exponents = -decades / 2 * shares
    largest = int(len(shares) * shares[0])
    exponents[0] = 0.0
    exponents[[0, largest]] = exponents[[largest, 0]]
    return 10.0**exponents


def scaled(weights: Array) -> Point:
    """Returns weights [K], the largest of them 1, in a few digits."""
    return tuple(float(f"{weight:.{DIGITS}g}") for weight in weights / weights.max())


def rounded(weights: Mapping[str, float]) -> dict[str, float]:
    """Returns weights by head, the largest of them 1, in a few digits."""
    return dict(zip(weights, scaled(np.array(list(weights.values()))), strict=True))


def written(weights: Mapping[str, float], is_rule: bool) -> str:
    """Returns weights as an override's value.

    Args:
        weights: By head.
        is_rule: Whether equal weights are told by their rule, under which a study compares them.
    """
    if is_rule and len(set(weights.values())) == 1:
        return "{rule:equal}"
    return "{" + ",".join(f"{head}:{weight:g}" for head, weight in weights.items()) + "}"
