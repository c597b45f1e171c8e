"""Numbers of a table: scaled by train, a gap is the mean, and what is no number is refused."""

from pathlib import Path

import numpy as np
import pytest

from steelyard.data.numeric import Numeric
from tests.data.tables import N_ROWS, frame, with_input


def test_numbers_are_scaled_by_train_alone(tmp_path: Path, rows: dict[str, np.ndarray]) -> None:
    weight = np.arange(N_ROWS) * 1.0
    weight[rows["valid"]], weight[rows["test"]] = 1e6, -1e6
    table = with_input(tmp_path, frame(weight=weight), Numeric(column="weight"))
    train = table.load("train").inputs["it"]
    assert (train.mean(), train.std()) == pytest.approx((0, 1), abs=1e-6)
    known = weight[rows["train"]]
    expected = (1e6 - known.mean()) / known.std()
    np.testing.assert_allclose(table.load("valid").inputs["it"], expected, rtol=1e-6)


def test_a_missing_number_is_the_mean(tmp_path: Path, rows: dict[str, np.ndarray]) -> None:
    weight = np.full(N_ROWS, np.nan)
    weight[rows["train"][:2]] = 1.0, 3.0
    table = with_input(tmp_path, frame(weight=weight), Numeric(column="weight"))
    np.testing.assert_array_equal(table.load("train").inputs["it"][:3, 0], [-1, 1, 0])
    np.testing.assert_array_equal(table.load("test").inputs["it"], 0)


@pytest.mark.parametrize(
    "value",
    [
        7.0,
        None,
        0.1,  # whose mean is rounded, so that the deviation is 1e-17
    ],
)
def test_a_number_that_never_changes_is_zero(tmp_path: Path, value: float | None) -> None:
    columns = frame(weight=[value] * N_ROWS)
    table = with_input(tmp_path, columns, Numeric(column="weight"))
    np.testing.assert_allclose(table.load("train").inputs["it"], 0, atol=1e-6)


def test_refuses_a_number_column_that_holds_words(tmp_path: Path) -> None:
    table = with_input(tmp_path, frame(), Numeric(column="town"))
    message = (
        r"`town` must be a column of numbers, got 'Ulm' in row \d+ of the file \(48 such rows\)"
    )
    with pytest.raises(ValueError, match=message):
        table.load("train")


def test_refuses_an_infinite_number(tmp_path: Path) -> None:
    weight = [*range(N_ROWS - 1), float("-inf")]
    table = with_input(tmp_path, frame(weight=weight), Numeric(column="weight"))
    message = (
        r"`weight` must be a column of numbers, got '-inf' in row 61 of the file \(1 such rows\)"
    )
    with pytest.raises(ValueError, match=message):
        table.load("train")


def test_several_columns_make_one_vector(tmp_path: Path, rows: dict[str, np.ndarray]) -> None:
    ages, weights = np.arange(N_ROWS) * 1.0, np.full(N_ROWS, 3.0)
    columns = frame(age=ages, weight=weights)
    table = with_input(tmp_path, columns, Numeric(column=("weight", "age")))
    assert table.inputs[0].shape == (2,)
    train = table.load("train").inputs["it"]
    known = ages[rows["train"]]
    np.testing.assert_array_equal(train[:, 0], 0)
    np.testing.assert_allclose(train[:, 1], (known - known.mean()) / known.std(), rtol=1e-5)
