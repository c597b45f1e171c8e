"""Dates of a table: how long ago, and where in the year, the week and the day."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from steelyard.data.column import Column, Fitted, as_labels, first_of
from steelyard.data.source import Input
from steelyard.task import center_and_spread

EPOCH = pd.Timestamp("2000-01-01")
DAYS_A_YEAR, DAYS_A_WEEK, HOURS_A_DAY = 365.25, 7, 24
N_NUMBERS = 7  # the day, and a sine and a cosine of each of three circles


@dataclass(frozen=True, kw_only=True)
class Date(Column):
    """A date, or a date with a time, as seven numbers; a missing one is seven zeros.

    The first is the day, standardized by train; then sine and cosine of the place in the year, in
    the week and in the day.

    Attributes:
        column: The column.
        format: How it is written, as `strptime` says it (`%d.%m.%Y`); empty for ISO 8601.
    """

    column: str
    format: str = ""

    kind: ClassVar[str] = "numeric"

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)

    def fit(self, name: str, train: pd.DataFrame) -> Fitted:
        days = self._days(name, train)
        center, spread = center_and_spread(days[~np.isnan(days)])
        return {"center": center, "spread": spread}

    def describe(self, name: str, fitted: Fitted) -> Input:
        return Input(name=name, kind=self.kind, shape=(N_NUMBERS,))

    def read(self, name: str, table: pd.DataFrame, fitted: Fitted) -> np.ndarray:
        dates = self._dates(name, table)
        days = self._days(name, table)
        hour = (dates - dates.dt.normalize()).dt.total_seconds() / 3600
        numbers = [(days - fitted["center"]) / fitted["spread"]]
        for place, size in (
            (dates.dt.day_of_year, DAYS_A_YEAR),
            (dates.dt.day_of_week, DAYS_A_WEEK),
            (hour, HOURS_A_DAY),
        ):
            angle = 2 * np.pi * place.to_numpy(dtype="float64", na_value=np.nan) / size
            numbers += [np.sin(angle), np.cos(angle)]
        return np.nan_to_num(np.stack(numbers, axis=1)).astype("float32")

    def _days(self, name: str, table: pd.DataFrame) -> np.ndarray:
        since = self._dates(name, table) - EPOCH
        return np.asarray(since.dt.total_seconds() / 86400, dtype="float64")

    def _dates(self, name: str, table: pd.DataFrame) -> pd.Series:
        values = table[self.column]
        if not pd.api.types.is_datetime64_any_dtype(values):
            values = as_labels(values)
        form = self.format or "ISO8601"
        try:
            dates = pd.to_datetime(values, format=form, errors="coerce", utc=True)
        except ValueError as error:
            raise ValueError(
                f"`format` must be a format of dates such as %d.%m.%Y, got {form!r}."
            ) from error
        dates = dates.dt.tz_localize(None)
        broken = dates.isna() & values.notna()
        if broken.any():
            wanted = self.format or "2026-01-31, with or without a time"
            raise ValueError(
                f"`{name}` must be a column of dates such as {wanted}, got "
                f"{first_of(values, broken)} ({broken.sum()} such rows)."
            )
        return dates
