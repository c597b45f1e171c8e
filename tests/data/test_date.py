"""Dates of a table: how long ago, and where on the circles of the year, the week and the day."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from steelyard.data.date import N_NUMBERS, Date
from tests.data.tables import N_ROWS, frame, table_of, with_input


def read(values: list[str | None], **knobs: str) -> np.ndarray:
    """Returns the numbers of dates that are fitted on themselves."""
    table = pd.DataFrame({"day": values}, index=range(2, len(values) + 2))
    column = Date(column="day", **knobs)
    return column.read("it", table, column.fit("it", table))


def test_the_first_number_is_the_day_standardized() -> None:
    found = read(["2024-01-01", "2024-01-03", "2024-01-02T00:00"])[:, 0]
    np.testing.assert_allclose(found, np.array([-1, 1, 0]) / np.sqrt(2 / 3), rtol=1e-5)


def test_the_circles_close() -> None:
    monday, sunday, noon = read(["2024-01-01", "2023-12-31", "2024-01-01 12:00"])
    np.testing.assert_allclose(monday[3:5], [0, 1], atol=1e-6)  # the week begins on Monday
    angle = 2 * np.pi * 6 / 7
    np.testing.assert_allclose(sunday[3:5], [np.sin(angle), np.cos(angle)], rtol=1e-5)
    np.testing.assert_allclose(noon[5:7], [0, -1], atol=1e-6)  # half way round the day
    assert np.linalg.norm(monday[1:3] - sunday[1:3]) < 0.03  # a day apart on the year's circle


def test_a_missing_date_is_seven_zeros() -> None:
    found = read(["2024-01-01", None, "2024-05-01"])
    assert found.shape == (3, N_NUMBERS)
    assert (found[1] == 0).all()


def test_dates_are_read_as_they_are_written() -> None:
    by_iso, by_dots = (
        read(["2024-03-05", "2024-04-05"]),
        read(["05.03.2024", "05.04.2024"], format="%d.%m.%Y"),
    )
    np.testing.assert_array_equal(by_iso, by_dots)
    assert read(["2024-03-05T10:00:00+02:00"])[0] == pytest.approx(read(["2024-03-05 08:00"])[0])


def test_what_is_no_date_is_refused_with_its_row() -> None:
    message = (
        "`it` must be a column of dates such as 2026-01-31, .* got 'soon' in row 3 of the file"
    )
    with pytest.raises(ValueError, match=message):
        read(["2024-01-01", "soon"])
    with pytest.raises(ValueError, match=r"such as %d\.%m, got '2024-01-01' in row 2"):
        read(["2024-01-01"], format="%d.%m")


def test_dates_of_a_parquet_file_are_dates_already(tmp_path: Path) -> None:
    days = pd.date_range("2024-01-01", periods=N_ROWS).astype(str)
    table = with_input(tmp_path, frame(day=days), Date(column="day"))
    assert table.inputs[0].shape == (N_NUMBERS,)
    train = table.load("train").inputs["it"]
    assert train[:, 0].mean() == pytest.approx(0, abs=1e-6)
    other = table_of(tmp_path, frame(day=days), inputs_from={"it": Date(column="day")})
    np.testing.assert_array_equal(train, other.load("train").inputs["it"])
