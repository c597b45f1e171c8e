"""A user's own table: the formats that are read, the rows that are kept, and what is refused."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from omegaconf import OmegaConf

from steelyard.construct import construct
from steelyard.data.columns import Column, Target
from steelyard.data.source import PADDING, SPLITS
from steelyard.data.table import majority_share
from tests.data.tables import (
    AGE,
    N_ROWS,
    PET,
    TEXT,
    frame,
    rows_of,
    table_at,
    table_of,
    written,
)

CONF = Path(__file__).parents[2] / "conf"


@pytest.mark.parametrize("name", ["people.csv", "people.tsv", "people.parquet"])
def test_a_table_is_the_same_in_each_format(tmp_path: Path, name: str) -> None:
    inputs = {
        "text": TEXT,
        "weight": Column(column="weight", kind="numeric"),
        "town": Column(column="town", kind="category"),
    }
    tasks = {"age": AGE, "pet": PET, "votes": Target(column="votes", kind="binary")}
    table = table_at(written(tmp_path, frame(), name), inputs_from=inputs, tasks_from=tasks)
    described = {each.name: (each.kind, each.shape, each.dtype) for each in table.inputs}
    assert described == {
        "text": ("text", (4,), "int32"),
        "weight": ("numeric", (1,), "float32"),
        "town": ("category", (1,), "int32"),
    }
    assert [task.kind for task in table.tasks] == ["regression", "multiclass", "binary"]
    examples = table.load("train")
    sizes = [len(array) for arrays in examples for array in arrays.values()]
    assert set(sizes) == {48}
    for each in table.inputs:
        array = examples.inputs[each.name]
        assert (array.shape[1:], array.dtype) == (each.shape, each.dtype)
    assert {array.dtype.name for array in examples.targets.values()} == {"float32", "int32"}
    np.testing.assert_array_equal(examples.targets["votes"], rows_of(table, "train") % 2)


def test_heads_and_text_lengths_are_known_before_the_file_is_there() -> None:
    table = table_at("nowhere.csv", tasks_from={"age": AGE, "pet": PET})
    assert table.task_names == ("age", "pet")
    assert table.text_lengths == {"text": 4}


@pytest.mark.parametrize(
    ("mark", "end"), [("", "\n"), ("\ufeff", "\n"), ("", "\r\n"), ("\ufeff", "\r\n")]
)
def test_byte_order_marks_and_line_ends_of_windows_are_accepted(
    tmp_path: Path, mark: str, end: str
) -> None:
    lines = ["age,text", *(f'{18 + n},"größer, word{n}"' for n in range(N_ROWS))]
    path = tmp_path / "people.csv"
    path.write_bytes((mark + end.join(lines) + end).encode())
    table = table_at(str(path))
    assert sum(len(rows_of(table, split)) for split in SPLITS) == N_ROWS
    plain = table_of(tmp_path, {**frame(), "text": [f"größer, word{n}" for n in range(N_ROWS)]})
    np.testing.assert_array_equal(
        table.load("test").inputs["text"], plain.load("test").inputs["text"]
    )


def test_a_separator_of_ones_own_is_used(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    pd.DataFrame(frame()).to_csv(path, index=False, sep=";")
    assert len(rows_of(table_at(str(path), separator=";"), "train")) == 48


def test_rows_without_a_required_column_and_repeated_rows_go(tmp_path: Path) -> None:
    texts = ["", *frame()["text"][1:]]
    once = pd.DataFrame(frame(text=texts))
    columns = pd.concat([once, once.head(7)]).to_dict("list")
    table = table_of(tmp_path, columns, required=("text",), drop_duplicates=True)
    ages = np.concatenate([rows_of(table, split) for split in SPLITS])
    assert sorted(ages) == list(range(1, N_ROWS))


def test_refuses_a_required_column_that_is_not_there(tmp_path: Path) -> None:
    table = table_of(tmp_path, frame(), required=("text", "title"))
    with pytest.raises(ValueError, match="`required` must name columns of the table, got 'title'"):
        table.load("train")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "people.csv",
            b"\xff\xfe\x00text,age\n",
            "must be a readable table, got .*utf-8",
        ),
        ("people.csv", b"", "must be a readable table, got an error: No columns to parse"),
        ("people.csv", b'text,age\n"never closed,1\n', "must be a readable table, got an error"),
        ("people.csv", b"text,age\na,1\nb,2,3,4\n", "must be a readable table, .* line 3"),
        ("people.csv", b"text,age\n", "must hold usable rows, got none"),
        ("people.parquet", b"PAR1 is not enough", "must be a readable table, got an error"),
    ],
)
def test_refuses_a_file_that_holds_no_table(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"`{re.escape(str(path))}` {message}") as refusal:
        table_at(str(path)).load("train")
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("knob", ["inputs_from", "tasks_from"])
def test_refuses_a_table_without_columns(knob: str) -> None:
    with pytest.raises(ValueError, match=f"`{knob}` must name at least one column, got none"):
        table_at("people.csv", **{knob: {}})


def test_refuses_a_kind_of_input_that_it_cannot_read() -> None:
    message = "`inputs_from.photo.kind` must be one of text, numeric, category, got 'image'"
    with pytest.raises(ValueError, match=message):
        table_at("people.csv", inputs_from={"photo": Column(column="photo", kind="image")})


def test_the_clothing_reviews_are_all_there(real_data: Path) -> None:
    source = construct(OmegaConf.load(CONF / "data" / "clothing.yaml"))
    splits = {split: source.load(split) for split in SPLITS}
    sizes = {split: len(examples.targets["age"]) for split, examples in splits.items()}
    assert sum(sizes.values()) == 22_641  # of 23,486 reviews, 845 have no text
    assert sizes["train"] > 4 * max(sizes["valid"], sizes["test"])
    assert min(sizes.values()) > 2_500
    age, kind, recommended = source.tasks
    assert len(kind.classes) == 10
    assert kind.classes[0] == "Dresses"
    assert recommended.classes == ("0", "1")
    for split, examples in splits.items():
        assert (examples.inputs["text"] != PADDING).any(axis=1).all(), split
        ages = examples.targets["age"]
        assert 18 <= ages.min() < ages.max() <= 99, split
        assert 0.2 < majority_share(kind, examples.targets["class"]) < 0.4, split
        assert 0.75 < majority_share(recommended, examples.targets["recommended"]) < 0.9, split
        assert kind.is_missing(examples.targets["class"]).mean() < 0.2, split
    assert not age.standardize
