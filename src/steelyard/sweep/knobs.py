"""What the knobs of a sweep must be, each told in one line."""

import difflib
import math
from collections.abc import Sequence
from typing import Any

from steelyard.construct import Refused

MOST_DECADES = 60.0  # a weight of 1e-30 is still a number in float32


def check_head(name: str, head: str, heads: Sequence[str]) -> None:
    """Refuses the name of a head that there is not.

    Raises:
        Refused: There is none.
    """
    if head not in heads:
        close = difflib.get_close_matches(str(head), heads, n=1)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
        raise Refused(f"`{name}` must name the heads {', '.join(heads)}, got {head!r}{hint}.")


def check_positive(name: str, given: Any) -> None:
    """Refuses what is no positive, finite number.

    Raises:
        Refused: It is not.
    """
    is_number = isinstance(given, int | float) and not isinstance(given, bool)
    if not (is_number and 0 < given < math.inf):
        raise Refused(f"`{name}` must be positive and finite, got {given!r}.")


def check_decades(name: str, given: Any) -> None:
    """Refuses a span that holds no ratios, or weights that float32 does not.

    Raises:
        Refused: It is one.
    """
    check_positive(name, given)
    if given > MOST_DECADES:
        raise Refused(f"`{name}` must be at most {MOST_DECADES:g}, got {given!r}.")


def check_whole(name: str, given: Any, least: int, most: float = math.inf) -> None:
    """Refuses what is no whole number in a range.

    Raises:
        Refused: It is not.
    """
    span = f"of at least {least}" if most == math.inf else f"from {least} to {most}"
    if isinstance(given, bool) or not isinstance(given, int) or not least <= given <= most:
        raise Refused(f"`{name}` must be a whole number {span}, got {given!r}.")
