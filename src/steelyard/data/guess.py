"""What a column of a table seems to be: the first rule that knows its values says it, and why."""

import numpy as np
import pandas as pd

from steelyard.data.guess_strings import OF_STRINGS
from steelyard.data.names import UNWRITABLE
from steelyard.data.seen import FEW_NUMBERS, LEFT_OUT, Finder, Guess, Rule, Seen

UNREADABLE = {"bytes", "complex", "mixed", "timedelta", "timedelta64", "time", "period"}
MOSTLY_EMPTY = 0.8  # of the rows
OLDEST, NEWEST = 19_000_101, 21_001_231  # dates as whole numbers


def guess(values: pd.Series, folder_of: Finder = lambda path: "") -> Guess:
    """Returns what a column seems to be.

    Args:
        values: The column [N], its index the rows of the file.
        folder_of: Returns the folder in which a path leads to an image; empty if there is none.
    """
    name, missing = values.name, float(values.isna().mean())
    if not isinstance(name, str) or UNWRITABLE.search(name):
        why = "its name cannot stand in a configuration: rename it"
        return Guess(column=str(name), kind=LEFT_OUT, why=why, missing=missing)
    known = values.dropna().astype(object)
    seen = Seen(name=name, known=known, missing=missing, folder_of=folder_of)
    is_of_words = seen.holds == "string" and bool(seen.numbers.isna().any())
    rules = (_useless, _typed, *(OF_STRINGS if is_of_words else OF_NUMBERS))
    return next(found for found in (rule(seen) for rule in rules) if found)


def _useless(seen: Seen) -> Guess | None:
    if seen.known.empty:
        return seen.left_out("it is empty")
    if seen.holds in UNREADABLE:
        kind = type(seen.known.iloc[0]).__name__
        return seen.left_out(f"its cells hold {kind}, which no input reads")
    if seen.n_values == 1:
        return seen.left_out(f"constant: always {str(seen.known.iloc[0])[:40]!r}")
    if seen.missing > MOSTLY_EMPTY:
        return seen.left_out(f"mostly empty: {seen.missing:.0%} of the rows have no value")
    return None


def _typed(seen: Seen) -> Guess | None:
    if seen.holds in {"datetime64", "datetime", "date"}:
        return seen.seems("date", "it holds dates", {"format": ""})
    return seen.seems("category", "true or false") if seen.holds == "boolean" else None


def _infinite(seen: Seen) -> Guess | None:
    n = int(seen.numbers.isin([np.inf, -np.inf]).sum())
    return seen.left_out(f"numbers, but for {n:,} that are infinite: mend them") if n else None


def _id(seen: Seen) -> Guess | None:
    numbers, n, n_rows = seen.numbers, seen.n_values, len(seen.known)
    if (numbers % 1 != 0).any():
        return None
    is_count = numbers.max() - numbers.min() == n - 1
    if n == n_rows and (is_count or seen.is_named_as_id):
        return seen.left_out("every value differs: an id")
    if not seen.is_named_as_id:
        return None
    if n <= FEW_NUMBERS:
        return seen.seems("category", f"{n} different numbers, named as an id")
    return seen.left_out(f"{n:,} different values in {n_rows:,} rows: a group's id", is_group=True)


def _packed_date(seen: Seen) -> Guess | None:
    form = "%Y%m%d"
    if seen.missing and seen.holds != "string":
        return None  # with an empty cell among them, they are read as fractions
    if seen.numbers.min() < OLDEST or seen.numbers.max() > NEWEST:
        return None
    dates = pd.to_datetime(seen.known.astype("string"), format=form, errors="coerce")
    return None if dates.isna().any() else seen.seems("date", f"dates: {form}", {"format": form})


def _numeric(seen: Seen) -> Guess:
    numbers = seen.numbers
    what = "whole numbers" if (numbers % 1 == 0).all() else "numbers"
    what += ", stored as text," if seen.holds == "string" else ""
    why = f"{what} from {numbers.min():g} to {numbers.max():g}; {seen.n_values:,} different"
    return seen.seems("numeric", why)


OF_NUMBERS: tuple[Rule, ...] = (_infinite, _id, _packed_date, _numeric)
