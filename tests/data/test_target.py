"""Columns to heads: classes, gaps, and what train decides."""

from pathlib import Path

import numpy as np
import pytest

from steelyard.data.source import SPLITS
from steelyard.data.target import Target
from steelyard.task import NO_CLASS
from steelyard.training.describe import majority_share
from tests.data.tables import AGE, N_ROWS, frame, rows_of, table_of, with_target


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
    tasks = {
        "age": AGE,
        "pet": Target(column="pet", kind="multiclass"),
        "votes": Target(column="votes", kind="binary"),
    }
    table = table_of(tmp_path, frame(**blank), tasks_from=tasks)
    targets = table.load("train").targets
    assert np.isnan(targets["age"][1])
    assert targets["pet"][1] == NO_CLASS
    assert np.isnan(targets["votes"][1])
    for task in table.tasks:
        assert task.is_missing(targets[task.name]).sum() == 1, task.name
    assert table.tasks[2].classes == ("0", "1")  # though the gap made the column one of 0.0 and 1.0


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
    targets = table.load("train").targets["it"]
    share = majority_share(targets[targets != NO_CLASS])
    assert share == pytest.approx(45 / 47)


def test_classes_that_are_numbers_stand_in_their_order(tmp_path: Path) -> None:
    grade = [("9", "10.0")[n % 2] for n in range(N_ROWS)]
    table = with_target(tmp_path, frame(grade=grade), column="grade", kind="binary")
    assert table.tasks[0].classes == ("9", "10")


def test_several_columns_of_nought_and_one_make_a_multilabel_head(
    tmp_path: Path, rows: dict[str, np.ndarray]
) -> None:
    likes = [n % 2 for n in range(N_ROWS)]
    hates = [None if n == rows["train"][0] else 1 - n % 2 for n in range(N_ROWS)]
    columns = frame(likes=likes, hates=hates)
    table = with_target(tmp_path, columns, column=("likes", "hates"), kind="multilabel")
    assert (table.tasks[0].width, table.tasks[0].classes) == (2, ("likes", "hates"))
    targets = table.load("train").targets["it"]
    assert targets.shape == (48, 2)
    assert table.tasks[0].is_missing(targets).sum() == 1
    np.testing.assert_array_equal(targets[1:].sum(axis=1), 1)


def test_four_columns_make_a_box(tmp_path: Path) -> None:
    corners = {name: [0.25 * (n + 1)] * N_ROWS for n, name in enumerate(("x1", "y1", "x2", "y2"))}
    table = with_target(tmp_path, frame(**corners), column=tuple(corners), kind="box")
    assert table.tasks[0].width == 4
    np.testing.assert_array_equal(table.load("test").targets["it"][0], [0.25, 0.5, 0.75, 1.0])
    with pytest.raises(ValueError, match="`column` must name the four columns x1, y1, x2, y2 of"):
        Target(column=("x1", "y1"), kind="box")
    with pytest.raises(ValueError, match=r"`it` must have numbers in \[0, 1\], got 18"):
        _ = with_target(tmp_path, frame(), column=("age",) * 4, kind="box").tasks
    with pytest.raises(ValueError, match="`column` must be one column for a binary head, got 2"):
        Target(column=("a", "b"), kind="binary")


def test_classes_are_numbered_by_name_or_as_they_are_given(tmp_path: Path) -> None:
    table = with_target(tmp_path, frame(), column="pet", kind="multiclass")
    assert table.tasks[0].classes == ("cat", "dog", "fish")
    given = ("fish", "horse", "dog", "cat")
    table = with_target(tmp_path, frame(), column="pet", kind="multiclass", classes=given)
    assert table.tasks[0].classes == given
    assert set(np.unique(table.load("train").targets["it"])) == {0, 2, 3}
