"""What a kind of column is: how a part of a table becomes an input of a network."""

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from steelyard.data.source import Input

WHOLE = re.compile(r"^(-?\d+)\.0+$")  # a whole number, written as another
TRUTHS = {"true": 1.0, "false": 0.0}
Fitted = dict[str, Any]  # what was learnt on train, as JSON can hold it


@dataclass(frozen=True, kw_only=True)
class Column(ABC):
    """A part of a table that goes into the network.

    Its fields are what the user says of it. What is learnt of the rows that train - a vocabulary,
    a mean - is a value apart, so that a saved run can read a new table as it read its own.
    """

    kind: ClassVar[str]  # of the input that it makes

    @property
    @abstractmethod
    def columns(self) -> tuple[str, ...]:
        """The table's columns that are read."""

    @property
    def side(self) -> int:
        """Words of a padded text, or pixels on the shorter side of an image; else 0."""
        return 0

    @property
    def fingerprint(self) -> str:
        """The hashes of files that are read beside the table."""
        return ""

    def usable(self, table: pd.DataFrame) -> np.ndarray:
        """Returns which rows [N] to keep; the others are dropped before the table is split."""
        return np.ones(len(table), dtype=bool)

    @abstractmethod
    def fit(self, name: str, train: pd.DataFrame) -> Fitted:
        """Returns what is learnt of the rows that train.

        Raises:
            ValueError: A value cannot be read.
        """

    @abstractmethod
    def describe(self, name: str, fitted: Fitted) -> Input:
        """Returns the input that the column makes."""

    @abstractmethod
    def read(self, name: str, table: pd.DataFrame, fitted: Fitted) -> np.ndarray:
        """Returns the input's array [N, ...].

        Raises:
            ValueError: A value cannot be read.
        """


def as_numbers(name: str, values: pd.Series) -> np.ndarray:
    """Returns a column's numbers [N] in float64; NaN where one is missing, 1 for true.

    Raises:
        ValueError: A value is no number, or not finite.
    """
    if pd.api.types.is_datetime64_any_dtype(values):
        raise ValueError(f"`{name}` must be a column of numbers, got dates.")
    if not pd.api.types.is_numeric_dtype(values):
        values = values.astype(object)
    numbers = pd.to_numeric(values, errors="coerce")
    unread = numbers.isna() & values.notna()
    if unread.any():  # a word may be a truth: asked of these alone, for it takes a while
        told = pd.to_numeric(values[unread].map(_as_number), errors="coerce")
        numbers = numbers.astype("float64").fillna(told.astype("float64"))
    broken = (numbers.isna() & values.notna()) | numbers.isin([np.inf, -np.inf])
    if broken.any():
        raise ValueError(
            f"`{name}` must be a column of numbers, got {first_of(values, broken)} "
            f"({broken.sum()} such rows)."
        )
    return numbers.to_numpy(dtype="float64", na_value=np.nan)


def first_of(values: pd.Series, is_wanted: pd.Series) -> str:
    """Returns the first of the wanted values, and the row of the file that it is in."""
    place = int(np.argmax(is_wanted))
    return f"{str(values.iloc[place])!r} in row {values.index[place]} of the file"


def as_labels(values: pd.Series) -> pd.Series:
    """Returns a column's values as names; 1 and 1.0 are the same, a missing one stays missing."""
    return values.astype(object).map(_label, na_action="ignore")


def _label(value: object) -> str:
    return WHOLE.sub(r"\1", str(value))


def _as_number(value: object) -> object:
    return TRUTHS.get(value.lower(), value) if isinstance(value, str) else value
