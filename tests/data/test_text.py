"""Texts to token numbers: which words are kept, and how they are padded."""

import numpy as np

from steelyard.data.source import PADDING, UNKNOWN
from steelyard.data.text import encode, fit_vocabulary, words


def test_words_are_lower_case_without_marks() -> None:
    assert words("Don't stop -- it's a SIZE-8, größer!") == [
        "don't", "stop", "it's", "a", "size", "8", "größer"
    ]  # fmt: skip


def test_the_most_frequent_words_are_kept_and_even_ones_by_the_alphabet() -> None:
    texts = [["b", "a", "c"], ["c", "b"], ["c"]]
    assert fit_vocabulary(texts, size=4) == {"c": 2, "b": 3}
    assert fit_vocabulary([["b", "a"]], size=3) == fit_vocabulary([["a", "b"]], size=3) == {"a": 2}


def test_texts_are_cut_and_padded_behind() -> None:
    tokens = encode([["a", "b", "a"], ["x"], []], {"a": 2, "b": 3}, length=2)
    np.testing.assert_array_equal(tokens, [[2, 3], [UNKNOWN, PADDING], [PADDING, PADDING]])
