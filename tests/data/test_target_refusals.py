"""Columns that no head can learn: each is refused in a sentence that names what is wrong."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from steelyard.data.source import SPLITS
from steelyard.data.target import Target
from tests.data.tables import N_ROWS, Frame, frame, with_target


def refusals() -> Iterator[Any]:
    """Yields tables that cannot be used: what is changed, and the sentence that says so."""
    age = {"column": "age", "kind": "regression"}
    pet = {"column": "pet", "kind": "multiclass"}
    votes = {"column": "pet", "kind": "binary"}
    broken = [str(n) for n in range(N_ROWS)]
    broken[37], broken[41] = "37years", "many"
    told = "must be a column of numbers, got '37years' in row 39 of the file (2 such rows)"
    yield pytest.param({"age": broken}, age, f"`it` {told}", id="a target that is no number")
    told = "`it` must be a column of numbers, got 'inf' in row 2 of the file (1 such rows)"
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
    told = "`it` must have only classes that train has (cat, dog), got 'fish' in row 4 of the file"
    yield pytest.param({}, {**pet, "classes": ("cat", "dog")}, told, id="a class not declared")
    kinds = "regression, binary, multiclass, multilabel, box"
    told = f"`tasks_from.kind` must be one of {kinds}, got 'ordinal'"
    yield pytest.param({}, {**pet, "kind": "ordinal"}, told, id="an unknown kind")
    losses = "sparse_categorical_crossentropy, categorical_crossentropy"
    told = f"`tasks_from.loss` must be one of {losses} for a multiclass head, "
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
    pet[rows["test"][0]] = pet[rows["valid"][0]] = "yak"
    table = with_target(tmp_path, frame(pet=pet), column="pet", kind="multiclass")
    message = (
        r"`it` must have only classes that train has \(cat, dog, fish\), "
        r"got 'yak' in row \d+ of the file; a class needs a row in train"
    )
    with pytest.raises(ValueError, match=message):
        table.load("train")


@pytest.mark.parametrize("kind", ["multiclass", "binary"])
@pytest.mark.parametrize("split", SPLITS)
def test_refuses_a_class_of_one_row_whichever_split_it_is_in(
    tmp_path: Path, rows: dict[str, np.ndarray], split: str, kind: str
) -> None:
    pet = ["cat"] * N_ROWS
    row = int(rows[split][1])
    pet[row] = "yak"
    table = with_target(tmp_path, frame(pet=pet), column="pet", kind=kind)
    message = (
        "`it` must have two rows or more of each class of 'pet', to train and to test, got 'yak' "
        f"in row {row + 2} of the file alone (1 such class); drop the row, merge the class with "
        "another, or keep fewer classes by `top`."
    )
    with pytest.raises(ValueError, match=re.escape(message) + "$"):
        table.load("train")


def test_classes_that_are_not_kept_may_have_one_row_and_those_that_are_may_not(
    tmp_path: Path, rows: dict[str, np.ndarray]
) -> None:
    pet = frame()["pet"]
    pet[rows["train"][1]], pet[rows["valid"][1]] = "yak", "emu"
    columns, knobs = frame(pet=pet), {"column": "pet", "kind": "multiclass"}
    assert len(with_target(tmp_path, columns, **knobs, top=3).tasks[0].classes) == 3
    with pytest.raises(
        ValueError, match=r"got 'yak' in row \d+ of the file alone \(1 such class\)"
    ):
        _ = with_target(tmp_path, columns, **knobs, top=4).tasks
    with pytest.raises(ValueError, match=r"of the file alone \(2 such classes\)"):
        _ = with_target(tmp_path, columns, **knobs).tasks


def test_refuses_less_than_no_class() -> None:
    with pytest.raises(ValueError, match="`top` must be at least 0, got -1"):
        Target(column="pet", kind="multiclass", top=-1)


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"kind": "regression", "top": 3}, "`classes` and `top` must be left out for a regr"),
        ({"kind": "multiclass", "top": 1, "classes": ("a", "b")}, "`top` must be 0 where"),
        ({"kind": "multiclass", "classes": ("a", "b", "a")}, "`classes` must differ, got a, b, a"),
        ({"kind": "multilabel", "column": ()}, "`column` must name at least one column, got none"),
    ],
)
def test_refuses_knobs_that_would_do_nothing(knobs: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Target(**{"column": "pet", **knobs})
