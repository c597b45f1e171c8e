"""A column of a table as the rules that guess its kind see it, and the guess that they make."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd

from steelyard.data.names import tokens

LEFT_OUT = "left out"
FEW_NUMBERS = 20  # different numbers that may be a category
MOST = 0.8  # of the values: the others are then taken for mistakes
SAMPLE = 20_000  # texts whose words are counted
SPACED = re.compile("[\uac00-\ud7a3]")  # Korean's, which puts spaces between words
UNSPACED, UNSPACED_WORD = "\u2e80", 10  # first of East Asia's letters; more of them are no word
AN_ID = re.compile(r"(?i:(?:^|[^a-z])(?:id|ids|uuid|guid|index)$)|[a-z](?:Id|ID)$|^Unnamed: \d+$")
OWNERS = {"customer", "lesion", "patient", "session", "speaker", "user"}

Finder = Callable[[str], str]
Rule = Callable[["Seen"], "Guess | None"]


@dataclass(frozen=True, kw_only=True)
class Guess:
    """What a column seems to be.

    Attributes:
        column: Its name.
        kind: `text`, `numeric`, `category`, `date`, `image` or `left out`.
        why: The reason, in words.
        missing: Share of the rows that have no value.
        knobs: What its kind is told beside the column.
        is_group: Whether rows of one value belong together, as those of a patient do.
    """

    column: str
    kind: str
    why: str
    missing: float = 0.0
    knobs: Mapping[str, Any] = field(default_factory=dict)
    is_group: bool = False


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A column, as the rules see it.

    Attributes:
        name: Its name.
        known: Its values [N], of which none is missing.
        missing: Share of the rows that have no value.
        folder_of: Returns the folder in which a path leads to an image; empty if there is none.
    """

    name: str
    known: "pd.Series[Any]"
    missing: float
    folder_of: Finder

    @cached_property
    def holds(self) -> str:
        """The type of the values."""
        return str(pd.api.types.infer_dtype(self.known))

    @cached_property
    def n_values(self) -> int:
        """How many different values there are."""
        return int(self.known.nunique())

    @cached_property
    def numbers(self) -> "pd.Series[float]":
        """The values as numbers, missing where one is none."""
        return pd.to_numeric(self.known, errors="coerce").astype("float64")

    @cached_property
    def some(self) -> "pd.Series[Any]":
        """The values, or every so many of them: enough to count words."""
        return self.known.iloc[:: math.ceil(len(self.known) / SAMPLE)]

    @cached_property
    def n_words(self) -> float:
        """How many words a value has on average, cut at spaces."""
        return float(self.some.str.split().str.len().mean())

    @cached_property
    def is_named_as_id(self) -> bool:
        """Whether it is called an id, or after those who own several rows."""
        return bool(AN_ID.search(self.name)) or not OWNERS.isdisjoint(tokens(self.name)[-1:])

    @cached_property
    def is_unspaced(self) -> bool:
        """Whether it holds texts in letters that need no space between words."""
        sample = "".join(self.known.iloc[:100].astype(str))
        n_letters = sum(letter >= UNSPACED and not SPACED.match(letter) for letter in sample)
        return n_letters > len(sample) / 2 and n_letters > UNSPACED_WORD * len(self.known[:100])

    def seems(self, kind: str, why: str, knobs: Mapping[str, Any] | None = None) -> Guess:
        """Returns the guess that the column is of a kind."""
        return Guess(column=self.name, kind=kind, why=why, missing=self.missing, knobs=knobs or {})

    def left_out(self, why: str, *, is_group: bool = False) -> Guess:
        """Returns the guess that the column is none to learn from."""
        return Guess(
            column=self.name, kind=LEFT_OUT, why=why, missing=self.missing, is_group=is_group
        )
