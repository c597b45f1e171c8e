"""Texts to token numbers: words, a vocabulary fitted on train, and padding."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from steelyard.data.source import PADDING, UNKNOWN

WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")


def words(text: str) -> list[str]:
    """Returns the words of a text, in lower case."""
    return WORD.findall(text.lower())


def fit_vocabulary(texts: Iterable[Sequence[str]], size: int) -> dict[str, int]:
    """Returns the number of each of the most frequent words; `size` counts padding and unknown.

    Words that are equally frequent are taken in alphabetical order, so that the order of the
    texts does not matter.
    """
    counts = Counter(word for text in texts for word in text)
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    n_special = UNKNOWN + 1
    return {word: n_special + n for n, (word, _) in enumerate(ranked[: size - n_special])}


def encode(
    texts: Sequence[Sequence[str]], vocabulary: Mapping[str, int], length: int
) -> np.ndarray:
    """Returns token numbers [N, length]: cut at `length`, and padded behind the last word."""
    tokens = np.full((len(texts), length), PADDING, dtype="int32")
    for n, text in enumerate(texts):
        numbers = [vocabulary.get(word, UNKNOWN) for word in text[:length]]
        tokens[n, : len(numbers)] = numbers
    return tokens
