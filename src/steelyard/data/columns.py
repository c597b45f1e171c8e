"""Columns of a table to arrays: what goes into a network, and what it is asked for."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from steelyard.data.source import UNKNOWN, Input
from steelyard.data.text import encode, fit_vocabulary, words
from steelyard.task import NO_CLASS, Task

COLUMN_KINDS = ("text", "numeric", "category")


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column that goes into the network.

    Attributes:
        column: Its name in the table.
        kind: `text`, `numeric` (standardized by train) or `category`.
        length: Padded length of a text, in words.
        vocabulary: Most different words kept, padding and unknown included.
    """

    column: str
    kind: str
    length: int = 128
    vocabulary: int = 10_000

    def __post_init__(self) -> None:
        for knob in ("length", "vocabulary"):
            if getattr(self, knob) <= UNKNOWN:
                raise ValueError(f"`{knob}` must be at least 2, got {getattr(self, knob)}.")


@dataclass(frozen=True, kw_only=True)
class Target:
    """A column that a head predicts.

    Attributes:
        column: Its name in the table.
        kind: `regression`, `binary` or `multiclass`.
        loss: A Keras loss that fits the kind; empty for the kind's default.
        unit: What a regression target is measured in.
        standardize: Trains a regression on standardized targets.
        classes: The classes, in order; empty for those that occur in train.
        top: Keeps the most frequent classes of train, and counts the others as not labelled;
            0 keeps all.
    """

    column: str
    kind: str
    loss: str = ""
    unit: str = ""
    standardize: bool = True
    classes: tuple[str, ...] = ()
    top: int = 0

    def __post_init__(self) -> None:
        if self.top < 0:
            raise ValueError(f"`top` must be at least 0, got {self.top}.")


def read_column(
    name: str, values: pd.Series, column: Column, train: np.ndarray
) -> tuple[Input, np.ndarray]:
    """Returns the input that a column makes, and its array [N, ...], fitted on rows `train`."""
    if column.kind == "text":
        texts = [words(text) for text in values.astype(object).fillna("").astype(str)]
        vocabulary = fit_vocabulary((texts[row] for row in train), column.vocabulary)
        size = len(vocabulary) + UNKNOWN + 1
        described = Input(
            name=name, kind="text", shape=(column.length,), dtype="int32", vocabulary=size
        )
        return described, encode(texts, vocabulary, column.length)
    if column.kind == "category":
        levels = sorted(values.iloc[train].dropna().astype(str).unique())
        number = {level: n for n, level in enumerate(levels, start=1)}  # 0 is a level unseen
        described = Input(
            name=name, kind="category", shape=(1,), dtype="int32", vocabulary=len(levels) + 1
        )
        coded = values.astype(str).map(number).fillna(0).to_numpy(dtype="int32")
        return described, coded[:, None]
    numbers = _numbers(name, values)
    known = numbers[train][~np.isnan(numbers[train])]
    center, spread = (float(known.mean()), float(known.std()) or 1.0) if len(known) else (0.0, 1.0)
    scaled = np.nan_to_num((numbers - center) / spread)  # a missing number is the mean
    return Input(name=name, kind="numeric", shape=(1,)), scaled.astype("float32")[:, None]


def read_target(
    name: str, values: pd.Series, target: Target, train: np.ndarray
) -> tuple[Task, np.ndarray]:
    """Returns the task that a column makes, and its targets [N], fitted on rows `train`.

    Raises:
        ValueError: No row of `train` is labelled, or a value is no number or no known class.
    """
    if values.iloc[train].isna().all():
        raise ValueError(f"`{name}` must have a label in some training row, got none.")
    if target.kind == "regression":
        numbers = _numbers(name, values).astype("float32")
        task = Task(
            name=name,
            kind="regression",
            loss=target.loss,
            unit=target.unit,
            standardize=target.standardize,
        )
        return task.fitted(numbers[train]), numbers
    labels = values.map(_label, na_action="ignore")
    classes = tuple(map(_label, target.classes)) or _classes(
        labels.iloc[train].dropna(), target.top
    )
    if target.kind == "binary" and len(classes) != 2:  # noqa: PLR2004
        raise ValueError(
            f"`{name}` must have two classes in train to be binary, got {', '.join(classes)}."
        )
    if not target.top:
        _check_seen(name, labels, classes)
    number = {label: float(n) for n, label in enumerate(classes)}
    coded = labels.map(number).to_numpy(dtype="float32")
    task = Task(name=name, kind=target.kind, loss=target.loss, classes=classes)
    if target.kind == "multiclass":
        coded = np.nan_to_num(coded, nan=NO_CLASS).astype("int32")
    return task, coded


def _classes(labels: pd.Series, top: int) -> tuple[str, ...]:
    """Returns the classes in train: by name, or the `top` most frequent ones, by frequency."""
    counts = labels.value_counts()
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple(label for label, _ in ranked[:top]) if top else tuple(sorted(counts.index))


def _check_seen(name: str, labels: pd.Series, classes: Sequence[str]) -> None:
    unseen = sorted(set(labels.dropna().unique()) - set(classes))
    if unseen:
        raise ValueError(
            f"`{name}` must have only classes that train has ({', '.join(classes)}), "
            f"got {', '.join(unseen)}."
        )


def _label(value: object) -> str:
    """Returns a class's name; 1 and 1.0 are the same class."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _numbers(name: str, values: pd.Series) -> np.ndarray:
    numbers = pd.to_numeric(values, errors="coerce")
    broken = (numbers.isna() & values.notna()) | numbers.isin([np.inf, -np.inf])
    if broken.any():
        row = broken.idxmax()
        raise ValueError(
            f"`{name}` must be a column of numbers, got {str(values[row])!r} in row {row} "
            f"({broken.sum()} such rows)."
        )
    return numbers.to_numpy(dtype="float64", na_value=np.nan)
