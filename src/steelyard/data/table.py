"""A table of one's own: CSV, TSV or Parquet files, and what their columns are."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from steelyard.data.column import Column, Fitted
from steelyard.data.expression import Expression
from steelyard.data.files import File
from steelyard.data.reading import parse
from steelyard.data.source import Examples, Input, Source, Split
from steelyard.data.split import Partition
from steelyard.data.target import Target
from steelyard.task import Task

FILE = "file_name"  # a column that says which of several files a row came from


@dataclass(frozen=True, kw_only=True)
class Table(Source):
    """Examples from a table: which columns go in, and which are to be predicted.

    Attributes:
        file: The table's file.
        inputs_from: The network's inputs: name to column.
        tasks_from: The network's heads: name to column.
        more_files: Files with the same columns, whose rows follow; `file_name` is then a column
            that holds the name of the file, without its ending, that a row came from.
        separator: What stands between the columns of a text file.
        derive: Further columns: name to a formula over the others.
        required: Columns without which a row is dropped.
        drop_duplicates: Drops rows that repeat an earlier one.
        keep_where: A formula that is above 0 for the rows to keep; empty keeps all.
        split: How rows are cut into train, valid and test.
    """

    file: File
    inputs_from: Mapping[str, Column]
    tasks_from: Mapping[str, Target]
    more_files: tuple[File, ...] = ()
    separator: str = ","
    derive: Mapping[str, str] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    drop_duplicates: bool = False
    keep_where: str = ""
    split: Partition = field(default_factory=Partition)

    def __post_init__(self) -> None:
        for knob in ("inputs_from", "tasks_from"):
            if not getattr(self, knob):
                raise ValueError(f"`{knob}` must name at least one column, got none.")
        both = sorted(set(self.inputs_from) & set(self.tasks_from))
        if both:
            raise ValueError(
                f"`tasks_from` must have other names than `inputs_from`, got {both[0]!r} in both."
            )
        if len(self.separator) != 1:
            raise ValueError(f"`separator` must be one character, got {self.separator!r}.")
        for name, text in self.derive.items():
            Expression(f"derive.{name}", text)
        if self.keep_where:
            Expression("keep_where", self.keep_where)

    @property
    def task_names(self) -> tuple[str, ...]:
        return tuple(self.tasks_from)

    @property
    def fingerprint(self) -> str:
        beside = [column.fingerprint for column in self.inputs_from.values()]
        files = [file.fingerprint() for file in (self.file, *self.more_files)]
        return " ".join(each for each in [*files, *beside] if each)

    @property
    def input_kinds(self) -> dict[str, tuple[str, int]]:
        return {name: (each.kind, each.side) for name, each in self.inputs_from.items()}

    @property
    def inputs(self) -> tuple[Input, ...]:
        fitted = self._prepared[0]
        return tuple(
            column.describe(name, fitted[name]) for name, column in self.inputs_from.items()
        )

    @property
    def tasks(self) -> tuple[Task, ...]:
        return self._prepared[1]

    @property
    def fitted(self) -> Fitted:
        return self._prepared[0]

    def load(self, split: Split) -> Examples:
        return self._prepared[2][split]

    def read_inputs(self, path: str, fitted: Fitted) -> dict[str, np.ndarray]:
        file = File(path=path)
        table = parse(file.read(), path, self.separator, is_raw=True)
        table = self._derived(table, is_whole=False)
        return self._arrays(table, fitted, path)

    @cached_property
    def _prepared(self) -> tuple[Fitted, tuple[Task, ...], dict[Split, Examples]]:
        table = self.table()
        self._check_columns(table, self.tasks_from, self.file.path)
        rows = self.split.cut(table)
        train = table.iloc[rows["train"]]
        fitted = {name: column.fit(name, train) for name, column in self.inputs_from.items()}
        inputs = self._arrays(table, fitted, self.file.path)
        read = {
            name: target.read(name, table, rows["train"])
            for name, target in self.tasks_from.items()
        }
        splits: dict[Split, Examples] = {
            split: Examples(
                inputs={name: values[where] for name, values in inputs.items()},
                targets={name: values[where] for name, (_, values) in read.items()},
            )
            for split, where in rows.items()
        }
        return fitted, tuple(task for task, _ in read.values()), splits

    def table(self) -> pd.DataFrame:
        """Returns the table with its derived columns, without the rows that must go.

        Its index counts the rows of each file as a spreadsheet does: the header is row 1.
        """
        parts: list[pd.DataFrame] = []
        for file in (self.file, *self.more_files):
            part = parse(file.read(), file.path, self.separator, is_raw=True)
            if parts and set(part.columns) != set(parts[0].columns) - {FILE}:
                raise ValueError(
                    f"`more_files` must have the columns of {self.file.path!r}, got "
                    f"{', '.join(map(str, part.columns))} in {file.path!r}."
                )
            if self.more_files:
                part[FILE] = file.path.rpartition("/")[2].rpartition(".")[0]
            parts.append(part)
        table = self._derived(pd.concat(parts) if self.more_files else parts[0], is_whole=True)
        for column in self.required:
            if column not in table:
                raise ValueError(f"`required` must name columns of the table, got {column!r}.")
        table = table.dropna(subset=list(self.required))
        if self.drop_duplicates:
            table = table.drop_duplicates()
        if self.keep_where:
            table = table[Expression("keep_where", self.keep_where).of(table) > 0]
        self._check_columns(table, self.inputs_from, self.file.path)
        for each in self.inputs_from.values():
            table = table[each.usable(table)]
        if table.empty:
            raise ValueError(f"`{self.file.path}` must hold usable rows, got none.")
        return table

    def _derived(self, table: pd.DataFrame, *, is_whole: bool) -> pd.DataFrame:
        """Returns the table with its derived columns; of a table without targets, those it can."""
        for name, text in self.derive.items():
            expression = Expression(f"derive.{name}", text)
            if is_whole or set(expression.columns) <= set(table.columns):
                table = table.assign(**{name: expression.of(table)})
        return table

    def _arrays(
        self, table: pd.DataFrame, fitted: Mapping[str, Any], path: str
    ) -> dict[str, np.ndarray]:
        self._check_columns(table, self.inputs_from, path)
        return {
            name: column.read(name, table, fitted[name])
            for name, column in self.inputs_from.items()
        }

    def _check_columns(
        self, table: pd.DataFrame, used: Mapping[str, Column | Target], path: str
    ) -> None:
        for name, each in used.items():
            for column in each.columns:
                if column not in table:
                    raise ValueError(
                        f"`{name}.column` must be a column of {path!r} "
                        f"({', '.join(map(str, table.columns))}), got {column!r}."
                    )
