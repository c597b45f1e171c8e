"""Columns to arrays: what is fitted on train alone, what a gap becomes, and what is refused."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from steelyard.data.columns import Column, Target
from steelyard.data.source import PADDING, SPLITS, UNKNOWN
from steelyard.data.table import majority_share
from steelyard.task import NO_CLASS
from tests.data.tables import (
    AGE,
    N_ROWS,
    PET,
    Frame,
    frame,
    rows_of,
    table_at,
    table_of,
    with_input,
    with_target,
    written,
)


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
    table = with_input(tmp_path, frame(), column="text", kind="text", vocabulary=5)
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
    table = table_at(path, inputs_from={"it": Column(column="town", kind="text", length=2)})
    assert table.inputs[0].vocabulary == 1 + 2  # "ulm", and two that are none


def test_numbers_are_scaled_by_train_alone(tmp_path: Path, rows: dict[str, np.ndarray]) -> None:
    weight = np.arange(N_ROWS) * 1.0
    weight[rows["valid"]], weight[rows["test"]] = 1e6, -1e6
    table = with_input(tmp_path, frame(weight=weight), column="weight", kind="numeric")
    train = table.load("train").inputs["it"]
    assert (train.mean(), train.std()) == pytest.approx((0, 1), abs=1e-6)
    known = weight[rows["train"]]
    expected = (1e6 - known.mean()) / known.std()
    np.testing.assert_allclose(table.load("valid").inputs["it"], expected, rtol=1e-6)


def test_a_missing_number_is_the_mean(tmp_path: Path, rows: dict[str, np.ndarray]) -> None:
    weight = np.full(N_ROWS, np.nan)
    weight[rows["train"][:2]] = 1.0, 3.0
    table = with_input(tmp_path, frame(weight=weight), column="weight", kind="numeric")
    np.testing.assert_array_equal(table.load("train").inputs["it"][:3, 0], [-1, 1, 0])
    np.testing.assert_array_equal(table.load("test").inputs["it"], 0)


@pytest.mark.parametrize(
    "value",
    [
        7.0,
        None,
        pytest.param(
            0.1,
            marks=pytest.mark.xfail(
                strict=True, reason="the mean is rounded, so that the spread is 1e-17 and not 0"
            ),
        ),
    ],
)
def test_a_number_that_never_changes_is_zero(tmp_path: Path, value: float | None) -> None:
    columns = frame(weight=[value] * N_ROWS)
    table = with_input(tmp_path, columns, column="weight", kind="numeric")
    np.testing.assert_allclose(table.load("train").inputs["it"], 0, atol=1e-6)


def test_category_levels_are_those_of_train(tmp_path: Path, rows: dict[str, np.ndarray]) -> None:
    town: list[str | None] = list(frame()["town"])
    town[rows["valid"][0]], town[rows["train"][0]] = "Rome", None
    table = with_input(tmp_path, frame(town=town), column="town", kind="category")
    assert table.inputs[0].vocabulary == 3 + 1
    assert table.load("valid").inputs["it"][0] == 0
    train = table.load("train").inputs["it"]
    assert train[0] == 0
    levels = {"Bonn": 1, "Trier": 2, "Ulm": 3}
    expected = [levels[str(town[row])] for row in rows["train"][1:]]
    np.testing.assert_array_equal(train[1:, 0], expected)


def test_targets_stay_raw_and_the_task_knows_how_train_lies(
    tmp_path: Path, rows: dict[str, np.ndarray]
) -> None:
    age = np.arange(N_ROWS) * 1.0
    age[rows["valid"]], age[rows["train"][0]] = 1e6, np.nan
    table = with_target(tmp_path, frame(age=age), column="age", kind="regression")
    known = age[rows["train"][1:]]
    task = table.tasks[0]
    assert (task.center, task.spread) == pytest.approx((known.mean(), known.std()))
    np.testing.assert_array_equal(table.load("valid").targets["it"], 1e6)
    np.testing.assert_array_equal(table.load("train").targets["it"], age[rows["train"]])


def test_a_task_that_is_not_standardized_is_left_as_it_is(tmp_path: Path) -> None:
    table = with_target(tmp_path, frame(), column="age", kind="regression", standardize=False)
    task = table.tasks[0]
    assert (task.standardize, task.center, task.spread) == (False, 0.0, 1.0)


def test_missing_labels_are_nan_and_minus_one(tmp_path: Path, rows: dict[str, np.ndarray]) -> None:
    blank = {name: list(frame()[name]) for name in ("age", "pet", "votes")}
    for column in blank.values():
        column[rows["train"][1]] = None
    tasks = {"age": AGE, "pet": PET, "votes": Target(column="votes", kind="binary")}
    table = table_of(tmp_path, frame(**blank), tasks_from=tasks)
    targets = table.load("train").targets
    assert np.isnan(targets["age"][1])
    assert targets["pet"][1] == NO_CLASS
    assert np.isnan(targets["votes"][1])
    for task in table.tasks:
        assert task.is_missing(targets[task.name]).sum() == 1, task.name
    assert table.tasks[2].classes == ("0", "1")  # though the gap made the column one of 0.0 and 1.0


def test_classes_are_numbered_by_name_or_as_they_are_given(tmp_path: Path) -> None:
    table = with_target(tmp_path, frame(), column="pet", kind="multiclass")
    assert table.tasks[0].classes == ("cat", "dog", "fish")
    given = ("fish", "horse", "dog", "cat")
    table = with_target(tmp_path, frame(), column="pet", kind="multiclass", classes=given)
    assert table.tasks[0].classes == given
    assert set(np.unique(table.load("train").targets["it"])) == {0, 2, 3}


def test_classes_may_be_given_as_numbers(tmp_path: Path) -> None:
    table = with_target(tmp_path, frame(), column="votes", kind="multiclass", classes=(1, 0))
    assert table.tasks[0].classes == ("1", "0")
    votes = np.arange(N_ROWS) % 2
    for split in SPLITS:
        expected = 1 - votes[rows_of(table_of(tmp_path, frame()), split)]
        np.testing.assert_array_equal(table.load(split).targets["it"], expected)


def test_top_keeps_the_most_frequent_classes_of_train(
    tmp_path: Path, rows: dict[str, np.ndarray]
) -> None:
    pet = np.array(["rat"] * N_ROWS)
    pet[rows["train"][:12]], pet[rows["train"][12:20]] = "cow", "ape"
    pet[rows["valid"][0]] = "yak"
    table = with_target(tmp_path, frame(pet=pet), column="pet", kind="multiclass", top=2)
    assert table.tasks[0].classes == ("rat", "cow")
    train = table.load("train").targets["it"]
    np.testing.assert_array_equal(train[:20], [1] * 12 + [NO_CLASS] * 8)
    assert table.load("valid").targets["it"][0] == NO_CLASS


def test_the_majority_share_is_of_the_known_labels(
    tmp_path: Path, rows: dict[str, np.ndarray]
) -> None:
    pet: list[str | None] = ["cat"] * N_ROWS
    for row, label in zip(rows["train"][:3], ("dog", "dog", None), strict=True):
        pet[row] = label
    table = with_target(tmp_path, frame(pet=pet), column="pet", kind="multiclass")
    share = majority_share(table.tasks[0], table.load("train").targets["it"])
    assert share == pytest.approx(45 / 47)


def refusals() -> Iterator[Any]:
    """Yields tables that cannot be used: what is changed, and the sentence that says so."""
    age = {"column": "age", "kind": "regression"}
    pet = {"column": "pet", "kind": "multiclass"}
    votes = {"column": "pet", "kind": "binary"}
    broken = [str(n) for n in range(N_ROWS)]
    broken[37], broken[41] = "37years", "many"
    told = "must be a column of numbers, got '37years' in row 37 (2 such rows)"
    yield pytest.param({"age": broken}, age, f"`it` {told}", id="a target that is no number")
    told = "`it` must be a column of numbers, got 'inf' in row 0 (1 such rows)"
    infinite = [float("inf"), *range(N_ROWS - 1)]
    yield pytest.param({"age": infinite}, age, told, id="a target that is infinite")
    told = "`it.column` must be a column of '{path}' (id, text, weight, town, age, pet, votes), "
    yield pytest.param({}, {**age, "column": "Age"}, told + "got 'Age'", id="a missing column")
    told = "`it` must have two classes in train to be binary, got cat, dog, fish"
    yield pytest.param({}, votes, told, id="three classes in a binary head")
    told = "`it` must have two classes in train to be binary, got cat."
    yield pytest.param({"pet": ["cat"] * N_ROWS}, votes, told, id="one class in a binary head")
    told = "`it` must have a label in some training row, got none"
    yield pytest.param({"pet": [None] * N_ROWS}, pet, told, id="no labels")
    told = "`it` must have only classes that train has (cat, dog), got fish"
    yield pytest.param({}, {**pet, "classes": ("cat", "dog")}, told, id="a class not declared")
    told = "`it.kind` must be one of regression, binary, multiclass, got 'ordinal'"
    yield pytest.param({}, {**pet, "kind": "ordinal"}, told, id="an unknown kind")
    told = "`it.loss` must be one of sparse_categorical_crossentropy for a multiclass head, "
    yield pytest.param({}, {**pet, "loss": "mse"}, told + "got 'mse'", id="a loss of another kind")


@pytest.mark.parametrize(("columns", "target", "message"), refusals())
def test_refuses_a_target_that_no_head_can_learn(
    tmp_path: Path, columns: Frame, target: dict[str, Any], message: str
) -> None:
    message = message.replace("{path}", str(tmp_path / "people.csv"))
    with pytest.raises(ValueError, match=re.escape(message)) as refusal:
        _ = with_target(tmp_path, frame(**columns), **target).tasks
    assert "\n" not in str(refusal.value)


def test_refuses_a_class_that_train_never_has(tmp_path: Path, rows: dict[str, np.ndarray]) -> None:
    pet = frame()["pet"]
    pet[rows["test"][0]] = "yak"
    table = with_target(tmp_path, frame(pet=pet), column="pet", kind="multiclass")
    message = r"`it` must have only classes that train has \(cat, dog, fish\), got yak"
    with pytest.raises(ValueError, match=message):
        table.load("train")


def test_refuses_a_number_column_that_holds_words(tmp_path: Path) -> None:
    table = with_input(tmp_path, frame(), column="town", kind="numeric")
    message = r"`it` must be a column of numbers, got 'Ulm' in row 0 \(60 such rows\)"
    with pytest.raises(ValueError, match=message):
        table.load("train")


def test_refuses_an_infinite_number(tmp_path: Path) -> None:
    weight = [*range(N_ROWS - 1), float("-inf")]
    table = with_input(tmp_path, frame(weight=weight), column="weight", kind="numeric")
    message = r"`it` must be a column of numbers, got '-inf' in row 59 \(1 such rows\)"
    with pytest.raises(ValueError, match=message):
        table.load("train")


def test_refuses_less_than_no_class() -> None:
    with pytest.raises(ValueError, match="`top` must be at least 0, got -1"):
        Target(column="pet", kind="multiclass", top=-1)


@pytest.mark.parametrize("knob", ["length", "vocabulary"])
def test_refuses_texts_without_room_for_a_word(knob: str) -> None:
    with pytest.raises(ValueError, match=f"`{knob}` must be at least 2, got 1"):
        Column(**{"column": "text", "kind": "text", knob: 1})
