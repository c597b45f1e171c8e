"""Categories of a table: the levels of train, and a number for what it never had."""

from pathlib import Path

import numpy as np

from steelyard.data.category import Category
from tests.data.tables import frame, with_input


def test_category_levels_are_those_of_train(tmp_path: Path, rows: dict[str, np.ndarray]) -> None:
    town: list[str | None] = list(frame()["town"])
    town[rows["valid"][0]], town[rows["train"][0]] = "Rome", None
    table = with_input(tmp_path, frame(town=town), Category(column="town"))
    assert table.inputs[0].vocabulary == 3 + 1
    assert table.load("valid").inputs["it"][0] == 0
    train = table.load("train").inputs["it"]
    assert train[0] == 0
    levels = {"Bonn": 1, "Trier": 2, "Ulm": 3}
    expected = [levels[str(town[row])] for row in rows["train"][1:]]
    np.testing.assert_array_equal(train[1:, 0], expected)
