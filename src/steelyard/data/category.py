"""Categories of a table: each level that train has gets a number."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from steelyard.data.column import Column, Fitted, as_labels
from steelyard.data.source import Input

UNSEEN = 0  # the number of a level that train does not have, and of a missing one


@dataclass(frozen=True, kw_only=True)
class Category(Column):
    """A level out of a few.

    Attributes:
        column: The column.
    """

    column: str

    kind: ClassVar[str] = "category"

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)

    def fit(self, name: str, train: pd.DataFrame) -> Fitted:
        return {"levels": sorted(as_labels(train[self.column]).dropna().unique())}

    def describe(self, name: str, fitted: Fitted) -> Input:
        size = len(fitted["levels"]) + 1
        return Input(name=name, kind=self.kind, shape=(1,), dtype="int32", vocabulary=size)

    def read(self, name: str, table: pd.DataFrame, fitted: Fitted) -> np.ndarray:
        number = {level: n for n, level in enumerate(fitted["levels"], start=UNSEEN + 1)}
        coded = as_labels(table[self.column]).map(number).fillna(UNSEEN)
        return coded.to_numpy(dtype="int32")[:, None]
