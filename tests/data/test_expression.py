"""Formulas over columns: what they compute, what stays missing, and that they run no code."""

import numpy as np
import pandas as pd
import pytest

from steelyard.data.expression import Expression

TABLE = pd.DataFrame(
    {
        "x": [1.0, 4.0, np.nan, 0.0],
        "y": [2, 2, 2, 2],
        "size": ["S", "L", None, "XL"],
        "Clothing ID": [7, 8, 7, 9],
        "votes": [1.0, 0.0, np.nan, 1.0],
    }
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x * y + 1", [3, 9, np.nan, 1]),
        ("-x ** 2", [-1, -16, np.nan, 0]),
        ("y / x", [2, 0.5, np.nan, np.nan]),  # by zero is not known
        ("log(x)", [0, np.log(4), np.nan, np.nan]),
        ("sqrt(abs(-x))", [1, 2, np.nan, 0]),
        ("x > 0.5", [1, 1, np.nan, 0]),
        ("x != y", [1, 1, np.nan, 1]),
        ('size == "S"', [1, 0, np.nan, 0]),
        ('rank(size, "S", "M", "L")', [0, 2, np.nan, np.nan]),
        ('isin(size, "S", "L")', [1, 1, np.nan, 0]),
        ("`Clothing ID` - 7", [0, 1, 0, 2]),
        ("length(size)", [1, 1, np.nan, 2]),
        ("log(1 + length(`Clothing ID`))", [np.log(2)] * 4),
        ("isin(votes, 1)", [1, 0, np.nan, 1]),  # a number's name is the same as a whole or not
    ],
)
def test_a_formula_is_computed_row_by_row(text: str, expected: list[float]) -> None:
    found = Expression("derive.it", text).of(TABLE)
    np.testing.assert_allclose(found, expected)


@pytest.mark.parametrize(
    "text",
    [
        "x.sum()",
        "__import__('os').system('true')",
        "open('x')",
        "[x for x in y]",
        "lambda: 1",
        "x if y else 0",
        "x < y < 3",
        "rank(size)",
        "length(size + size)",
        'length("size")',
        "rank(size, x)",
        "log(x, y)",
        "x and y",
        "x @ y",
        "f'{x}'",
        "True",
        "x +",
        "x = 1",
        "1 + 1",
        'x + "S"',
        'log("S")',
        '"S" == size',
        "",
    ],
)
def test_what_is_no_formula_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"`derive\.it` must be a formula of columns, numbers"):
        Expression("derive.it", text)


@pytest.mark.parametrize("text", ["x + 1 / 0", "exp(1000 * y)", "2 ** 99999 * y"])
def test_what_is_not_finite_is_not_known(text: str) -> None:
    assert Expression("derive.it", text).of(TABLE).isna().all()


def test_a_column_that_the_table_lacks_is_named() -> None:
    expression = Expression("derive.it", "x + `Review Text` + z")
    assert expression.columns == ("x", "Review Text", "z")
    with pytest.raises(ValueError, match=r"`derive\.it` must use columns of .*, got 'Review Text'"):
        expression.of(TABLE)


def test_words_where_numbers_must_be_are_refused() -> None:
    with pytest.raises(ValueError, match="`size` must be a column of numbers, got 'S' in row 0"):
        Expression("derive.it", "size + 1").of(TABLE)
