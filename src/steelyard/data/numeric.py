"""Numbers of a table: one column or several, as one vector, standardized by train."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from steelyard.data.column import Column, Fitted, as_numbers
from steelyard.data.source import Input
from steelyard.task import center_and_spread


@dataclass(frozen=True, kw_only=True)
class Numeric(Column):
    """Numbers, each less its mean on train, over its deviation there; a missing one is the mean.

    Attributes:
        column: A column, or several that make one vector.
    """

    column: str | tuple[str, ...]

    kind: ClassVar[str] = "numeric"

    def __post_init__(self) -> None:
        if not self.columns:
            raise ValueError("`column` must name at least one column, got none.")

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,) if isinstance(self.column, str) else tuple(self.column)

    def fit(self, name: str, train: pd.DataFrame) -> Fitted:
        pairs = []
        for column in self.columns:
            numbers = as_numbers(column, train[column])
            pairs.append(center_and_spread(numbers[~np.isnan(numbers)]))
        return {"centers": [center for center, _ in pairs], "spreads": [each for _, each in pairs]}

    def describe(self, name: str, fitted: Fitted) -> Input:
        return Input(name=name, kind=self.kind, shape=(len(self.columns),))

    def read(self, name: str, table: pd.DataFrame, fitted: Fitted) -> np.ndarray:
        numbers = np.stack([as_numbers(each, table[each]) for each in self.columns], axis=1)
        scaled = (numbers - np.array(fitted["centers"])) / np.array(fitted["spreads"])
        return np.nan_to_num(scaled).astype("float32")
