"""A user's own table: the formats that are read, the rows that are kept, and what is refused."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from omegaconf import OmegaConf

from steelyard.construct import construct
from steelyard.data.category import Category
from steelyard.data.files import File
from steelyard.data.numeric import Numeric
from steelyard.data.source import PADDING, SPLITS
from steelyard.data.target import Target
from steelyard.training.describe import majority_share
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
        "weight": Numeric(column="weight"),
        "town": Category(column="town"),
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


def test_heads_and_inputs_are_known_before_the_file_is_there() -> None:
    table = table_at("nowhere.csv", tasks_from={"age": AGE, "pet": PET})
    assert table.task_names == ("age", "pet")
    assert table.input_kinds == {"text": ("text", 4)}


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
            "must be UTF-8 text, got the byte 0xff in line 1; it may be cp1252",
        ),
        ("people.csv", b"", "must hold a table, got an empty file"),
        ("people.csv", b'text,age\n"never closed,1\n', "must be a readable table, got an error"),
        ("people.csv", b"text,age\na,1\nb,2,3,4\n", "must be a readable table, .* line 3"),
        ("people.csv", b"text,age\na,1,\nb,2,\n", "must have a name in its header for each"),
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


def test_refuses_an_input_and_a_head_of_one_name() -> None:
    message = "`tasks_from` must have other names than `inputs_from`, got 'text' in both"
    with pytest.raises(ValueError, match=message):
        table_at("people.csv", tasks_from={"text": AGE})


def test_further_files_follow_and_their_names_are_a_column(tmp_path: Path) -> None:
    first, more = written(tmp_path, frame(), "red.csv"), written(tmp_path, frame(), "white.csv")
    tasks = {"age": AGE, "red": Target(column="file_name", kind="binary")}
    table = table_at(first, more_files=(File(path=more),), tasks_from=tasks)
    assert sum(len(table.load(split).targets["red"]) for split in SPLITS) == 2 * N_ROWS
    assert table.tasks[1].classes == ("red", "white")


def test_refuses_further_files_with_other_columns(tmp_path: Path) -> None:
    first = written(tmp_path, frame(), "red.csv")
    other = {name.upper(): values for name, values in frame().items()}
    table = table_at(first, more_files=(File(path=written(tmp_path, other, "white.csv")),))
    with pytest.raises(ValueError, match=r"`more_files` must have the columns of .*, got ID, TEXT"):
        table.load("train")


def test_labels_are_what_is_written_whatever_else_a_file_holds(tmp_path: Path) -> None:
    codes = ["01", "02", "1.0", "A1"] * (N_ROWS // 4)
    likes = [True, None] * (N_ROWS // 2)
    inputs = {"code": Category(column="code"), "likes": Category(column="likes")}
    table = table_of(tmp_path, frame(code=codes, likes=likes), inputs_from=inputs)
    assert table.fitted["code"]["levels"] == ["01", "02", "1", "A1"]
    assert table.fitted["likes"]["levels"] == ["True"]
    (tmp_path / "new.csv").write_text("code,likes\n02,True\n1,True\n")  # no letter, no gap
    arrays = table.read_inputs(str(tmp_path / "new.csv"), table.fitted)
    np.testing.assert_array_equal(arrays["code"], [[2], [3]])
    np.testing.assert_array_equal(arrays["likes"], [[1], [1]])


def test_refuses_a_separator_of_several_characters() -> None:
    with pytest.raises(ValueError, match=r"`separator` must be one character, got '\|\|'"):
        table_at("people.csv", separator="||")


def test_derived_columns_go_in_and_choose_rows(tmp_path: Path) -> None:
    table = table_of(
        tmp_path,
        frame(),
        derive={"double": "2 * weight", "heavy": "double > 200"},
        keep_where="weight >= 60",
        inputs_from={"it": Numeric(column="double")},
        tasks_from={"age": AGE, "heavy": Target(column="heavy", kind="binary")},
    )
    ages = np.concatenate([table.load(split).targets["age"] for split in SPLITS])
    heavy = np.concatenate([table.load(split).targets["heavy"] for split in SPLITS])
    np.testing.assert_array_equal(np.sort(ages), np.arange(28, 78))  # the ten lightest are gone
    np.testing.assert_array_equal(heavy, 2 * (ages + 32) > 200)


def test_a_new_table_is_read_as_train_was(tmp_path: Path) -> None:
    inputs = {"text": TEXT, "weight": Numeric(column="weight"), "town": Category(column="town")}
    table = table_of(tmp_path, frame(), inputs_from=inputs, derive={"odd": "age > 30"})
    fitted = json.loads(json.dumps(table.fitted))
    new = pd.DataFrame(frame())[["town", "weight", "text"]].iloc[:7]  # without any target
    new.to_csv(tmp_path / "new.csv", index=False)
    arrays = table_at("nowhere.csv", inputs_from=inputs).read_inputs(
        str(tmp_path / "new.csv"), fitted
    )
    rows = rows_of(table, "train")
    for name, array in arrays.items():
        expected = table.load("train").inputs[name][rows < 7]
        np.testing.assert_array_equal(array[rows[rows < 7]], expected, err_msg=name)


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
        ages, classes = examples.targets["age"], examples.targets["class"]
        assert 18 <= ages.min() < ages.max() <= 99, split
        assert 0.2 < majority_share(classes[classes >= 0]) < 0.4, split
        assert 0.75 < majority_share(examples.targets["recommended"]) < 0.9, split
        assert kind.is_missing(examples.targets["class"]).mean() < 0.2, split
    assert not age.standardize
