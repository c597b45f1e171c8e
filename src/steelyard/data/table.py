"""A table of one's own: a CSV, TSV or Parquet file, and what its columns are."""

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from steelyard.data.columns import COLUMN_KINDS, Column, Target, read_column, read_target
from steelyard.data.files import File
from steelyard.data.source import Examples, Input, Source, Split
from steelyard.data.split import Partition
from steelyard.task import Task


@dataclass(frozen=True, kw_only=True)
class Table(Source):
    """Examples from a table: which columns go in, and which are to be predicted.

    Attributes:
        file: The table's file.
        separator: What stands between the columns of a text file.
        inputs_from: The network's inputs: name to column.
        tasks_from: The network's heads: name to column.
        required: Columns without which a row is dropped.
        drop_duplicates: Drops rows that repeat an earlier one.
        split: How rows are cut into train, valid and test.
    """

    file: File
    inputs_from: Mapping[str, Column]
    tasks_from: Mapping[str, Target]
    separator: str = ","
    required: tuple[str, ...] = ()
    drop_duplicates: bool = False
    split: Partition = field(default_factory=Partition)

    def __post_init__(self) -> None:
        for knob in ("inputs_from", "tasks_from"):
            if not getattr(self, knob):
                raise ValueError(f"`{knob}` must name at least one column, got none.")
        for name, column in self.inputs_from.items():
            if column.kind not in COLUMN_KINDS:
                raise ValueError(
                    f"`inputs_from.{name}.kind` must be one of {', '.join(COLUMN_KINDS)}, "
                    f"got {column.kind!r}."
                )

    @property
    def task_names(self) -> tuple[str, ...]:
        return tuple(self.tasks_from)

    @property
    def fingerprint(self) -> str:
        return self.file.fingerprint()

    @property
    def text_lengths(self) -> dict[str, int]:
        columns = self.inputs_from.items()
        return {name: column.length for name, column in columns if column.kind == "text"}

    @property
    def inputs(self) -> tuple[Input, ...]:
        return self._prepared[0]

    @property
    def tasks(self) -> tuple[Task, ...]:
        return self._prepared[1]

    def load(self, split: Split) -> Examples:
        return self._prepared[2][split]

    @cached_property
    def _prepared(self) -> tuple[tuple[Input, ...], tuple[Task, ...], dict[str, Examples]]:
        table = self._read()
        rows = self.split.cut(table)
        columns = {  # each [N], fitted on the rows that train
            name: read_column(name, table[column.column], column, rows["train"])
            for name, column in self.inputs_from.items()
        }
        targets = {
            name: read_target(name, table[target.column], target, rows["train"])
            for name, target in self.tasks_from.items()
        }
        splits = {
            split: Examples(
                inputs={name: values[where] for name, (_, values) in columns.items()},
                targets={name: values[where] for name, (_, values) in targets.items()},
            )
            for split, where in rows.items()
        }
        inputs = tuple(described for described, _ in columns.values())
        return inputs, tuple(task for task, _ in targets.values()), splits

    def _read(self) -> pd.DataFrame:
        """Returns the table, with every named column and without the rows that must go."""
        table = _parse(self.file.read(), self.file.path, self.separator)
        used: dict[str, Any] = {**self.inputs_from, **self.tasks_from}
        for name, column in used.items():
            if column.column not in table:
                raise ValueError(
                    f"`{name}.column` must be a column of {self.file.path!r} "
                    f"({', '.join(map(str, table.columns))}), got {column.column!r}."
                )
        for column in self.required:
            if column not in table:
                raise ValueError(f"`required` must name columns of the table, got {column!r}.")
        table = table.dropna(subset=list(self.required))
        if self.drop_duplicates:
            table = table.drop_duplicates()
        if table.empty:
            raise ValueError(f"`{self.file.path}` must hold usable rows, got none.")
        return table.reset_index(drop=True)


def _parse(content: bytes, path: str, separator: str) -> pd.DataFrame:
    """Returns the table that a file's bytes hold.

    Raises:
        ValueError: They hold none.
    """
    try:
        if path.endswith(".parquet"):
            return pd.read_parquet(io.BytesIO(content))
        kind_of = {".tsv": "\t"}
        separator = kind_of.get(path[-4:], separator)
        return pd.read_csv(
            io.BytesIO(content), sep=separator, encoding="utf-8-sig", low_memory=False
        )
    except (ValueError, OSError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"`{path}` must be a readable table, got an error: {reason}") from error


def majority_share(task: Task, targets: np.ndarray) -> float:
    """Returns the share of the most frequent class among the known targets [N] of a task."""
    known = targets[~task.is_missing(targets)]
    return float(np.unique(known, return_counts=True)[1].max() / len(known))
