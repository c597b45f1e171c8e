"""What a head is asked of a table: columns to targets, and the task they make."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from steelyard.data.column import as_labels, as_numbers, first_of
from steelyard.task import CORNERS, NO_CLASS, Task, check_kind

CLASSED = ("binary", "multiclass")
VECTORS = ("multilabel", "box")  # kinds that take several columns
MANY = 5  # classes that an error names


@dataclass(frozen=True, kw_only=True)
class Target:
    """What a head predicts.

    Attributes:
        column: Its column in the table; for `multilabel` a list of columns of 0 and 1, for `box`
            the four columns x1, y1, x2, y2, in [0, 1].
        kind: `regression`, `binary`, `multiclass`, `multilabel` or `box`.
        loss: A Keras loss that fits the kind; empty for the kind's default.
        unit: What a regression target is measured in.
        standardize: Trains a regression on standardized targets.
        classes: The classes, in order; empty for those that occur in train.
        top: Keeps the most frequent classes of train, and counts the others as not labelled;
            0 keeps all.
    """

    column: str | tuple[str, ...]
    kind: str
    loss: str = ""
    unit: str = ""
    standardize: bool = True
    classes: tuple[str, ...] = ()
    top: int = 0

    def __post_init__(self) -> None:
        check_kind("tasks_from", self.kind, self.loss)
        if self.top < 0:
            raise ValueError(f"`top` must be at least 0, got {self.top}.")
        n_columns = len(self.columns)
        if (self.top or self.classes) and self.kind not in CLASSED:
            raise ValueError(f"`classes` and `top` must be left out for a {self.kind} head.")
        if self.top and self.classes:
            raise ValueError("`top` must be 0 where `classes` are given, got both.")
        if len(set(self._given)) != len(self.classes):
            raise ValueError(f"`classes` must differ, got {', '.join(self._given)}.")
        if not n_columns:
            raise ValueError("`column` must name at least one column, got none.")
        if self.kind == "box" and n_columns != len(CORNERS):
            raise ValueError(
                f"`column` must name the four columns {', '.join(CORNERS)} of a box, "
                f"got {n_columns}."
            )
        if self.kind not in VECTORS and n_columns != 1:
            raise ValueError(
                f"`column` must be one column for a {self.kind} head, got {n_columns}."
            )

    @property
    def _given(self) -> tuple[str, ...]:
        return tuple(as_labels(pd.Series(list(self.classes), dtype=object)))

    @property
    def columns(self) -> tuple[str, ...]:
        """The table's columns that are read."""
        return (self.column,) if isinstance(self.column, str) else tuple(self.column)

    def read(self, name: str, table: pd.DataFrame, train: np.ndarray) -> tuple[Task, np.ndarray]:
        """Returns the task, and its targets [N, ...], fitted on the rows at positions `train`.

        Raises:
            ValueError: No row of `train` is labelled, a value is no number or no known class, or a
                class has one row.
        """
        if table[list(self.columns)].iloc[train].isna().any(axis=1).all():
            raise ValueError(f"`{name}` must have a label in some training row, got none.")
        if self.kind in VECTORS:
            return self._read_vector(name, table)
        values = table[self.columns[0]]
        if self.kind == "regression":
            numbers = as_numbers(name, values).astype("float32")
            task = Task(
                name=name,
                kind="regression",
                loss=self.loss,
                unit=self.unit,
                standardize=self.standardize,
            )
            return task.fitted(numbers[train]), numbers
        return self._read_classes(name, as_labels(values), train)

    def _read_vector(self, name: str, table: pd.DataFrame) -> tuple[Task, np.ndarray]:
        numbers = np.stack([as_numbers(name, table[each]) for each in self.columns], axis=1)
        known = numbers[~np.isnan(numbers)]
        is_label = self.kind == "multilabel"
        is_allowed = np.isin(known, (0, 1)) if is_label else (known >= 0) & (known <= 1)
        if not is_allowed.all():
            wanted = "of 0 and 1" if is_label else "in [0, 1]"
            raise ValueError(f"`{name}` must have numbers {wanted}, got {known[~is_allowed][0]:g}.")
        classes = self.columns if self.kind == "multilabel" else ()
        task = Task(name=name, kind=self.kind, loss=self.loss, classes=classes)
        return task, numbers.astype("float32")

    def _read_classes(
        self, name: str, labels: pd.Series, train: np.ndarray
    ) -> tuple[Task, np.ndarray]:
        classes = self._given or _classes(labels.iloc[train].dropna(), self.top)
        is_kept = labels.isin(classes) | (not (self.top or self.classes))
        _check_rows(name, self.columns[0], labels.where(is_kept))
        if self.kind == "binary" and len(classes) != 2:  # noqa: PLR2004
            raise ValueError(
                f"`{name}` must have two classes in train to be binary, got {_some(classes)}."
            )
        if not self.top:
            _check_seen(name, labels, classes)
        number = {label: float(n) for n, label in enumerate(classes)}
        coded = labels.map(number).to_numpy(dtype="float32")
        task = Task(name=name, kind=self.kind, loss=self.loss, classes=classes)
        if self.kind == "multiclass":
            coded = np.nan_to_num(coded, nan=NO_CLASS).astype("int32")
        return task, coded


def _classes(labels: pd.Series, top: int) -> tuple[str, ...]:
    """Returns the classes in train: by name, or the `top` most frequent ones, by frequency."""
    counts = labels.value_counts()
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    if top:
        return tuple(label for label, _ in ranked[:top])
    try:
        return tuple(sorted(counts.index, key=float))  # 9 before 10
    except ValueError:
        return tuple(sorted(counts.index))


def _check_rows(name: str, column: str, labels: pd.Series) -> None:
    """Refuses a class with one row in the whole table, whichever split it falls into."""
    is_alone = labels.map(labels.value_counts()) == 1
    if is_alone.any():
        n = int(is_alone.sum())
        raise ValueError(
            f"`{name}` must have two rows or more of each class of {column!r}, to train and to "
            f"test, got {first_of(labels, is_alone)} alone ({n} such class{'es' * (n > 1)}); drop "
            "the row, merge the class with another, or keep fewer classes by `top`."
        )


def _check_seen(name: str, labels: pd.Series, classes: Sequence[str]) -> None:
    unseen = sorted(set(labels.dropna().unique()) - set(classes))
    if unseen:
        raise ValueError(
            f"`{name}` must have only classes that train has ({_some(classes)}), got "
            f"{first_of(labels, labels == unseen[0])}; a class needs a row in train: set `top`, or "
            "`classes`, or drop what is rare."
        )


def _some(names: Sequence[str]) -> str:
    """Returns the first of many names."""
    more = f" and {len(names) - MANY} more" if len(names) > MANY else ""
    return ", ".join(names[:MANY]) + more
