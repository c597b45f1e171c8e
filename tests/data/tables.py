"""Small tables of people, on file."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from steelyard.data.column import Column
from steelyard.data.files import File
from steelyard.data.table import Table
from steelyard.data.target import Target
from steelyard.data.text import Text

N_ROWS = 60
Frame = dict[str, Any]
TEXT = Text(column="text", length=4)
AGE = Target(column="age", kind="regression", unit="years")
PET = Target(column="pet", kind="multiclass")


def frame(**columns: Any) -> Frame:
    """Returns the columns of a table of sixty people."""
    number = np.arange(N_ROWS)
    return {
        "id": number,
        "text": [f"one word{n} more" for n in number],
        "weight": 50.0 + number,
        "town": [("Ulm", "Bonn", "Trier")[n % 3] for n in number],
        "age": 18 + number,
        "pet": [("cat", "dog", "fish", "cat")[n % 4] for n in number],
        "votes": number % 2,
        **columns,
    }


def written(folder: Path, columns: Frame, name: str = "people.csv") -> str:
    """Returns the path of a file that holds a table."""
    table, path = pd.DataFrame(columns), folder / name
    if name.endswith(".parquet"):
        table.to_parquet(path)
    else:
        table.to_csv(path, index=False, sep="\t" if name.endswith(".tsv") else ",")
    return str(path)


def table_at(path: str, **options: Any) -> Table:
    given: dict[str, Any] = {"inputs_from": {"text": TEXT}, "tasks_from": {"age": AGE}}
    return Table(file=File(path=path), **{**given, **options})


def table_of(folder: Path, columns: Frame, **options: Any) -> Table:
    return table_at(written(folder, columns), **options)


def with_input(folder: Path, columns: Frame, column: Column) -> Table:
    return table_of(folder, columns, inputs_from={"it": column})


def with_target(folder: Path, columns: Frame, **target: Any) -> Table:
    return table_of(folder, columns, tasks_from={"it": Target(**target)})


def rows_of(table: Table, split: Any) -> np.ndarray:
    """Returns which rows [N] a split holds, told by their age."""
    return table.load(split).targets["age"].astype(int) - 18
