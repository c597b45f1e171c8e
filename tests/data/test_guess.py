"""What a table seems to hold: kinds with their reasons, heads, splits, and a table made of them."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from steelyard.data.draft import as_yaml, draft, separator_of
from steelyard.data.files import File
from steelyard.data.guess import guess
from steelyard.data.names import Names
from steelyard.data.reading import parse
from steelyard.task import NAME

N = 400
NUMBER = np.arange(N)


def column(values: Any, name: str = "it") -> pd.Series:
    """Returns a column as a file gives it: its index counts the rows of the file."""
    return pd.Series(values, name=name, index=pd.RangeIndex(2, 2 + len(values)))


def table(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame(columns, index=pd.RangeIndex(2, 2 + N))


def sentences(n_words: int, n: int = N) -> list[str]:
    words = [f"word{place % 47}" for place in range(n * n_words)]
    return [" ".join(words[k * n_words : (k + 1) * n_words]) for k in range(n)]


AGES = ["37years", *(f"{n % 77}" for n in NUMBER[1:])]
KINDS = {
    "words": (sentences(60), "text", "words: 60 on average"),
    "titles": ([f"a title {n}" for n in NUMBER], "text", "words: 3 on average"),
    "Korean": ([f"하나 둘 {n} 넷" for n in NUMBER], "text", "words: 4 on average"),
    "Chinese": ([f"这是一个很长的句子没有空格在里面{n}" for n in NUMBER], "text", "no spaces"),
    "few words": ([("Ulm", "Bonn")[n % 2] for n in NUMBER], "category", "2 different values in"),
    "fractions": (NUMBER / 7, "numeric", "numbers from 0 to 57; 400 different"),
    "whole numbers": (NUMBER % 77 + 18, "numeric", "whole numbers from 18 to 94; 77 different"),
    "numbers as text": ([f"{n % 77}" for n in NUMBER], "numeric", "stored as text"),
    "truths": (NUMBER % 2 == 0, "category", "true or false"),
    "some truths": ([None, *(bool(n % 2) for n in NUMBER[1:])], "category", "true or false"),
    "ISO dates": ([f"2026-01-{n % 28 + 1:02}" for n in NUMBER], "date", "as 2026-01-31"),
    "packed dates": ([20_260_101 + n % 28 for n in NUMBER], "date", "%Y%m%d"),
    "dates of the type": (pd.date_range("2020", periods=N), "date", "it holds dates"),
    "one value": (["x"] * N, "left out", "constant: always 'x'"),
    "nothing": ([None] * N, "left out", "it is empty"),
    "almost nothing": ([None if n % 10 else n for n in NUMBER], "left out", "mostly empty: 90%"),
    "a count": (NUMBER + 1000, "left out", "every value differs: an id"),
    "codes": ([f"{n:08x}-ab" for n in NUMBER], "left out", "every value differs: an id"),
    "half of the codes": ([f"k{n // 2}" for n in NUMBER], "left out", "too many for a category"),
    "lists": ([[1, 2]] * N, "left out", "its cells hold list"),
    "infinite": ([np.inf, *NUMBER[1:]], "left out", "1 that are infinite"),
    "decimal commas": ([f"{n},5" for n in NUMBER], "left out", "such as '0,5' in row 2"),
    "ages": (AGES, "left out", "1 cells cannot be read, such as '37years' in row 2 of the file"),
}  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_a_column_is_told_by_its_values_with_a_reason(name: str) -> None:
    values, kind, why = KINDS[name]
    found = guess(column(values))
    assert found.kind == kind
    assert why in found.why


@pytest.mark.parametrize(
    ("day", "form"),
    [
        ("{d:02}.{m:02}.2024", "%d.%m.%Y"),
        ("{m}/{d}/2024", "%m/%d/%Y"),
        ("{d}/{m}/2024 09:30", "%d/%m/%Y %H:%M"),
    ],
)
def test_the_form_of_a_date_is_found(day: str, form: str) -> None:
    found = guess(column([day.format(d=n % 28 + 1, m=n % 12 + 1) for n in NUMBER]))
    assert (found.kind, found.knobs) == ("date", {"format": form})


def test_a_date_that_may_be_read_in_two_ways_is_said_to_be() -> None:
    found = guess(column([f"{n % 12 + 1}/{n % 11 + 1}/2024" for n in NUMBER]))
    assert found.knobs == {"format": "%d/%m/%Y"}
    assert "%m/%d/%Y fits as well" in found.why


@pytest.mark.parametrize(
    ("n_values", "name", "kind", "is_group"),
    [
        (150, "Clothing ID", "left out", True),
        (150, "patientId", "left out", True),
        (5, "store_id", "category", False),
        (150, "paid", "numeric", False),
    ],
)
def test_ids_that_repeat_are_groups(n_values: int, name: str, kind: str, is_group: bool) -> None:
    found = guess(column(NUMBER % n_values * 3, name))
    assert (found.kind, found.is_group) == (kind, is_group)


def test_many_levels_are_a_category_where_each_has_its_rows() -> None:
    values = [f"level{n % 200}" for n in range(200 * 20)]
    assert guess(column(values)).kind == "category"
    assert guess(column(values[: 200 * 19])).kind == "left out"


def test_the_share_missing_is_told() -> None:
    assert guess(column([None if n < N // 4 else n / 7 for n in NUMBER])).missing == 0.25


def test_a_text_is_as_long_as_95_percent_of_the_rows_need_and_knows_98_percent_of_its_words() -> (
    None
):
    texts = sentences(30, 96) + sentences(200, 4)
    assert guess(column(texts)).knobs["length"] == 32  # 30, to the next multiple of 8
    often = ["the " * 99 + f"rare{n}" for n in NUMBER]
    assert guess(column(often)).knobs["vocabulary"] == 50  # `the` is 99 % of the words
    half = ["the " + f"rare{n}" for n in NUMBER]
    assert guess(column(half)).knobs["vocabulary"] == 400  # 1 + 384 words make 98 %, and 2 tokens


def test_images_are_sought_where_the_first_path_leads() -> None:
    paths = column([f"scans/{n % 9}.PNG" for n in NUMBER])
    found = guess(paths, lambda path: "here" if path == "scans/0.PNG" else "")
    assert (found.kind, found.knobs["images"]) == ("image", "here/scans")
    assert guess(paths).kind == "left out"


def test_heads_are_guessed_by_their_names_or_else_the_last_column_is_one() -> None:
    columns = {
        "text": sentences(60),
        "Rating": NUMBER % 5,
        "ClassName": NUMBER % 4,
        "age": NUMBER % 77,
    }
    found = draft(table(**columns), "a.csv", ",")
    assert [head.columns for head in found.heads] == [("Rating",), ("ClassName",)]
    assert found.is_guess
    del columns["Rating"], columns["ClassName"]
    assert [head.columns for head in draft(table(**columns), "a.csv", ",").heads] == [("age",)]


def test_y_is_no_head_beside_x() -> None:
    places = {"x": NUMBER / 7, "y": NUMBER / 3, "size": NUMBER / 9}
    assert draft(table(**places), "a.csv", ",").heads[0].columns == ("size",)
    del places["x"]
    assert draft(table(**places), "a.csv", ",").heads[0].columns == ("y",)


@pytest.mark.parametrize(
    ("values", "name", "kind", "top"),
    [
        (NUMBER / 7, "weight", "regression", 0),
        (NUMBER % 5, "rating", "regression", 0),
        (NUMBER % 5, "code", "multiclass", 0),
        (NUMBER % 30, "code", "regression", 0),
        ([("no", "yes")[n % 2] for n in NUMBER], "won", "binary", 0),
        (NUMBER % 2 == 0, "won", "binary", 0),
        ([("a", "b", "c")[n % 3] if n else "solo" for n in NUMBER], "sort", "multiclass", 3),
    ],
)
def test_the_kind_of_a_head(values: Any, name: str, kind: str, top: int) -> None:
    found = draft(table(text=sentences(60), **{name: values}), "a.csv", ",", [name])
    assert [(head.kind, head.top) for head in found.heads] == [(kind, top)]
    assert not found.is_guess


def test_columns_of_0_and_1_that_begin_alike_are_the_labels_of_one_head() -> None:
    columns = {f"label_{name}": NUMBER % n == 0 for n, name in ((2, "a"), (3, "b"), (5, "c"))}
    found = draft(table(text=sentences(60), **columns), "a.csv", ",")
    assert [(head.name, head.kind, head.columns) for head in found.heads] == [
        ("label", "multilabel", tuple(columns))
    ]


def test_rows_of_one_owner_stay_together_and_the_rarest_class_is_kept_in_each_split() -> None:
    columns = {
        "lesion_id": NUMBER // 2,
        "patient_id": NUMBER // 4,
        "size": NUMBER / 7,
        "sex": NUMBER % 2,
        "dx": ["nv" if n % 8 else "mel" for n in NUMBER],
    }
    found = draft(table(**columns), "a.csv", ",", ["sex", "dx"])
    assert found.settings["split"]["by"] == "patient_id"  # of two the one with fewer values
    assert found.settings["split"]["stratify"] == "dx"


def test_a_group_that_holds_too_many_rows_does_not_split() -> None:
    owners = np.where(NUMBER < 60, 0, NUMBER // 2)
    found = draft(table(patient_id=owners, size=NUMBER / 7, y=NUMBER % 2), "a.csv", ",")
    assert found.settings["split"]["by"] == ""


def test_numbers_make_one_input() -> None:
    columns = {"a": NUMBER / 7, "town": NUMBER % 2 == 0, "b": NUMBER / 3, "y": NUMBER % 2}
    inputs = draft(table(**columns), "a.csv", ",").settings["inputs_from"]
    assert list(inputs) == ["town", "numbers"]
    assert inputs["numbers"]["column"] == ["a", "b"]


def test_repeated_rows_go_where_there_are_any() -> None:
    columns = {"a": NUMBER // 2 / 7, "y": NUMBER // 2 % 2}
    assert draft(table(**columns), "a.csv", ",").settings["drop_duplicates"]
    columns["a"] = NUMBER / 7
    assert not draft(table(**columns), "a.csv", ",").settings["drop_duplicates"]


@pytest.mark.parametrize(
    ("heads", "message"),
    [
        (["agee"], r"got 'agee' \(did you mean 'age'\?\)"),
        (["text"], r"of few classes, got 'text' \(text: words: 60"),
        (["broken"], r"'37years' in row 2 of the file"),
        (["age", "town"], "must have a column to predict from, got none"),
    ],
)
def test_refuses_heads_that_cannot_be(heads: list[str], message: str) -> None:
    columns: dict[str, Any] = {"age": NUMBER % 77, "town": NUMBER % 2 == 0}
    if heads != ["age", "town"]:
        columns |= {"text": sentences(60), "broken": AGES}
    with pytest.raises(ValueError, match=message):
        draft(table(**columns), "a.csv", ",", heads)


def test_refuses_a_table_without_a_header() -> None:
    content = b"5.1,3.5,0\n" + b"".join(b"%d.5,3.5,1\n" % n for n in NUMBER)
    with pytest.raises(ValueError, match=r"must have names in its first row, got numbers: 5\.1"):
        draft(parse(content, "a.csv", ","), "a.csv", ",")


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_read_off_the_header(separator: str) -> None:
    header = separator.join(["a", '"b, c; d"', "e"])
    assert separator_of(f"\ufeff{header}\r\n1,2,3,4,5,6\r\n".encode()) == separator
    assert separator_of(b"") == ","


def test_a_name_is_written_in_plain_letters_and_given_once() -> None:
    names = Names()
    wanted = ["Größe (cm)", "groesse cm", "나이", "제목", "Été", "rule", "a-b"]
    found = [names.of(each, "input") for each in wanted]
    assert found == ["groesse_cm", "groesse_cm_2", "input_1", "input_2", "ete", "rule_2", "a_b"]


def test_no_input_has_the_name_of_another_kind_of_input() -> None:
    columns = {"text": NUMBER % 2 == 0, "category": sentences(60), "image": NUMBER / 7}
    inputs = draft(table(**columns, y=NUMBER % 2), "a.csv", ",").settings["inputs_from"]
    assert list(inputs) == ["text_2", "category_2", "image_2"]
    same = {"text": sentences(60), "category": NUMBER % 2 == 0, "numeric": NUMBER / 7}
    inputs = draft(table(**same, y=NUMBER % 2), "a.csv", ",").settings["inputs_from"]
    assert list(inputs) == ["text", "category", "numeric"]


@given(st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=6))
def test_any_name_becomes_one_that_keras_and_mlflow_take(columns: list[str]) -> None:
    names = Names()
    found = [names.of(column, "head") for column in columns]
    assert len(set(found)) == len(found)
    assert all(NAME.fullmatch(name) for name in found)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(min_size=1, max_size=8), min_size=2, max_size=4, unique=True))
def test_any_column_stands_in_the_file_as_it_is_called(columns: list[str]) -> None:
    others = dict.fromkeys(columns, NUMBER / 7)
    whole = table(**others, **{"their town": NUMBER % 2, "their size": NUMBER / 3})
    found = draft(whole, "a.csv", ",", ["their town"])
    assert OmegaConf.create(as_yaml(found, "a\nb")) == OmegaConf.create(found.settings)


def test_the_clothing_reviews_are_understood(real_data: Path) -> None:
    path = "womens_clothing/Womens Clothing E-Commerce Reviews.csv"
    reviews = parse(File(path=path).read(), path, ",")
    found = draft(reviews, path, ",", ["Age", "Class Name", "Recommended IND"])
    kinds = {each.column: each.kind for each in found.guesses}
    assert kinds == {
        "Unnamed: 0": "left out",
        "Clothing ID": "left out",
        "Age": "numeric",
        "Title": "text",
        "Review Text": "text",
        "Rating": "numeric",
        "Recommended IND": "numeric",
        "Positive Feedback Count": "numeric",
        "Division Name": "category",
        "Department Name": "category",
        "Class Name": "category",
    }
    assert [head.kind for head in found.heads] == ["regression", "multiclass", "binary"]
    assert found.settings["split"]["by"] == "Clothing ID"
