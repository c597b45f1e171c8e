"""Texts of a table: words to token numbers, by a vocabulary fitted on train, and padded."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from steelyard.data.column import Column, Fitted
from steelyard.data.source import PADDING, UNKNOWN, Input

WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
N_SPECIAL = UNKNOWN + 1


@dataclass(frozen=True, kw_only=True)
class Text(Column):
    """Text, as the numbers of its words.

    Attributes:
        column: The column.
        length: Padded length, in words; a longer text is cut.
        vocabulary: Most different words kept, padding and unknown included.
    """

    column: str
    length: int = 128
    vocabulary: int = 10_000

    kind: ClassVar[str] = "text"

    def __post_init__(self) -> None:
        for knob in ("length", "vocabulary"):
            if getattr(self, knob) <= UNKNOWN:
                raise ValueError(f"`{knob}` must be at least 2, got {getattr(self, knob)}.")

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)

    @property
    def side(self) -> int:
        return self.length

    def fit(self, name: str, train: pd.DataFrame) -> Fitted:
        texts = (words(text) for text in self._texts(train))
        return {"words": fit_vocabulary(texts, self.vocabulary)}

    def describe(self, name: str, fitted: Fitted) -> Input:
        size = len(fitted["words"]) + N_SPECIAL
        return Input(
            name=name, kind=self.kind, shape=(self.length,), dtype="int32", vocabulary=size
        )

    def read(self, name: str, table: pd.DataFrame, fitted: Fitted) -> np.ndarray:
        number = {word: n for n, word in enumerate(fitted["words"], start=N_SPECIAL)}
        return encode((words(text) for text in self._texts(table)), number, self.length, len(table))

    def _texts(self, table: pd.DataFrame) -> "pd.Series[str]":
        return table[self.column].astype(object).fillna("").astype(str)


def words(text: str) -> list[str]:
    """Returns the words of a text, in lower case."""
    return WORD.findall(text.lower())


def fit_vocabulary(texts: Iterable[Sequence[str]], size: int) -> list[str]:
    """Returns the most frequent words, in falling order; `size` counts padding and unknown.

    Words that are equally frequent are taken in alphabetical order, so that the order of the
    texts does not matter.
    """
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(text)
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [word for word, _ in ranked[: size - N_SPECIAL]]


def encode(
    texts: Iterable[Sequence[str]], vocabulary: Mapping[str, int], length: int, n: int
) -> np.ndarray:
    """Returns token numbers [n, length]: cut at `length`, and padded behind the last word."""
    tokens = np.full((n, length), PADDING, dtype="int32")
    for row, text in zip(tokens, texts, strict=True):
        numbers = [vocabulary.get(word, UNKNOWN) for word in text[:length]]
        row[: len(numbers)] = numbers
    return tokens
