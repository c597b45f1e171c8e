"""Texts of a table: which words are kept, and how they are padded."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from steelyard.data.source import PADDING, SPLITS, UNKNOWN
from steelyard.data.text import Text, encode, fit_vocabulary, words
from tests.data.tables import N_ROWS, frame, table_at, table_of, with_input, written


def test_words_are_lower_case_without_marks() -> None:
    assert words("Don't stop -- it's a SIZE-8, größer!") == [
        "don't", "stop", "it's", "a", "size", "8", "größer"
    ]  # fmt: skip


def test_the_most_frequent_words_are_kept_and_even_ones_by_the_alphabet() -> None:
    texts = [["b", "a", "c"], ["c", "b"], ["c"]]
    assert fit_vocabulary(texts, size=4) == ["c", "b"]
    assert fit_vocabulary([["b", "a"]], size=3) == fit_vocabulary([["a", "b"]], size=3) == ["a"]


def test_texts_are_cut_and_padded_behind() -> None:
    tokens = encode([["a", "b", "a"], ["x"], []], {"a": 2, "b": 3}, length=2, n=3)
    np.testing.assert_array_equal(tokens, [[2, 3], [UNKNOWN, PADDING], [PADDING, PADDING]])


def test_the_vocabulary_is_fitted_on_train_alone(
    tmp_path: Path, rows: dict[str, np.ndarray]
) -> None:
    table = table_of(tmp_path, frame())
    tokens = {split: table.load(split).inputs["text"] for split in SPLITS}
    assert table.inputs[0].vocabulary == 48 + 2 + 2  # each row's word; one, more; two that are none
    assert UNKNOWN not in tokens["train"]
    for split in ("valid", "test"):
        assert (tokens[split][:, 1] == UNKNOWN).all()
        assert (tokens[split][:, [0, 2]] > UNKNOWN).all()
    assert len(rows["valid"]) == len(rows["test"]) == 6


def test_a_vocabulary_is_no_larger_than_asked(tmp_path: Path) -> None:
    table = with_input(tmp_path, frame(), Text(column="text", vocabulary=5))
    assert table.inputs[0].vocabulary == 5
    assert table.load("train").inputs["it"].max() == 4


def test_a_missing_text_is_padding(tmp_path: Path, rows: dict[str, np.ndarray]) -> None:
    texts: list[str | None] = list(frame()["text"])
    texts[rows["train"][0]] = None
    table = table_of(tmp_path, frame(text=texts))
    assert (table.load("train").inputs["text"][0] == PADDING).all()
    assert (table.load("train").inputs["text"][1] != PADDING).any()


def test_a_categorical_column_of_a_parquet_file_is_read_as_text(tmp_path: Path) -> None:
    town = pd.Categorical(["Ulm", None] * (N_ROWS // 2))
    path = written(tmp_path, frame(town=town), "people.parquet")
    table = table_at(path, inputs_from={"it": Text(column="town", length=2)})
    assert table.inputs[0].vocabulary == 1 + 2  # "ulm", and two that are none


@pytest.mark.parametrize("knob", ["length", "vocabulary"])
def test_refuses_texts_without_room_for_a_word(knob: str) -> None:
    with pytest.raises(ValueError, match=f"`{knob}` must be at least 2, got 1"):
        Text(**{"column": "text", knob: 1})  # type: ignore[arg-type]
