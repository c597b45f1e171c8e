"""Values of a run epoch by epoch, and what is known of them."""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence

Row = Mapping[str, float]  # an epoch's values by name


def column(history: Sequence[Row], name: str) -> list[float]:
    """Returns a value epoch by epoch, NaN where an epoch lacks it; none if every epoch does."""
    found = [row.get(name, math.nan) for row in history]
    return found if any(name in row for row in history) else []


def finite(values: Iterable[float]) -> list[float]:
    """Returns the numbers that are finite."""
    return [value for value in values if math.isfinite(value)]


def mean(values: Iterable[float]) -> float | None:
    """Returns the mean of the finite numbers; None where there are none."""
    known = finite(values)
    return statistics.fmean(known) if known else None
