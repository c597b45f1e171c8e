"""The cut of a table into splits: exhaustive, seeded, and never through a group."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from steelyard.data.source import SPLITS
from steelyard.data.split import Partition

N_ROWS = 600


def table() -> pd.DataFrame:
    """Returns rows of uneven groups, each of one kind, with gaps in both columns."""
    rng = np.random.default_rng(0)
    group = (120 * rng.uniform(size=N_ROWS) ** 2).astype(int)
    kind = np.array(["common", "common", "common", "rare"])[group % 4]
    columns = {"group": [f"item {n}" for n in group], "kind": kind, "number": np.arange(N_ROWS)}
    made = pd.DataFrame(columns)
    made.loc[::50, "group"] = None
    made.loc[5::50, "kind"] = None
    return made


each_way = pytest.mark.parametrize(
    "way",
    [{}, {"by": "group"}, {"stratify": "kind"}, {"by": "group", "stratify": "kind"}],
    ids=lambda way: " ".join(way) or "plain",
)


@each_way
@pytest.mark.parametrize("seed", [0, 1])
def test_each_row_is_in_one_split(way: dict[str, Any], seed: int) -> None:
    cut = Partition(**way, seed=seed).cut(table())
    assert tuple(cut) == SPLITS
    np.testing.assert_array_equal(np.sort(np.concatenate(list(cut.values()))), np.arange(N_ROWS))
    for rows in cut.values():
        np.testing.assert_array_equal(rows, np.sort(rows))


@each_way
def test_the_cut_is_drawn_by_the_seed(way: dict[str, Any]) -> None:
    one, same, other = (Partition(**way, seed=seed).cut(table()) for seed in (0, 0, 1))
    for split in SPLITS:
        np.testing.assert_array_equal(one[split], same[split])
    assert set(one["test"]) != set(other["test"])


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("stratify", ["", "kind"])
def test_no_group_stands_in_two_splits(stratify: str, seed: int) -> None:
    rows = table()
    cut = Partition(by="group", stratify=stratify, seed=seed).cut(rows)
    groups = [set(rows["group"].iloc[cut[split]].fillna("")) for split in SPLITS]
    assert all(groups)
    assert sum(map(len, groups)) == len(set.union(*groups))


@pytest.mark.parametrize("way", [{"stratify": "kind"}, {"by": "group", "stratify": "kind"}])
def test_splits_keep_the_shares_of_the_strata(way: dict[str, Any]) -> None:
    rows = table()
    is_rare = (rows["kind"] == "rare").to_numpy()
    cut = Partition(**way).cut(rows)
    for split in SPLITS:
        assert is_rare[cut[split]].mean() == pytest.approx(is_rare.mean(), abs=0.05), split


@pytest.mark.parametrize(
    ("valid", "test"),
    [
        (0.1, 0.1),
        (0.2, 0.1),
        (0.05, 0.3),
        (0.25, 0.25),
        (0.15, 0.15),
        (0.1, 0.25),
        (0.3, 0.3),
        (0.35, 0.35),
        (0.4, 0.4),
        (0.6, 0.3),
    ],
)
@pytest.mark.parametrize("stratify", ["", "kind"])
def test_splits_have_the_shares_that_are_asked(valid: float, test: float, stratify: str) -> None:
    cut = Partition(valid=valid, test=test, stratify=stratify).cut(table())
    assert len(cut["valid"]) / N_ROWS == pytest.approx(valid, abs=0.02)
    assert len(cut["test"]) / N_ROWS == pytest.approx(test, abs=0.02)


@pytest.mark.parametrize(("valid", "test"), [(0.49, 0.49), (0.5, 0.49), (0.9, 0.09)])
def test_some_rows_train_however_much_is_kept_from_them(valid: float, test: float) -> None:
    cut = Partition(valid=valid, test=test).cut(table())
    shares = [len(cut[split]) / N_ROWS for split in SPLITS]
    assert min(shares) > 0
    assert shares == pytest.approx([1 - valid - test, valid, test], abs=0.04)


def test_a_class_too_rare_for_every_split_is_no_fault() -> None:
    rows = table()
    rows.loc[7, "kind"] = "single"
    cut = Partition(stratify="kind").cut(rows)
    assert sum(7 in found for found in cut.values()) == 1


@pytest.mark.parametrize(("valid", "test"), [(0, 0.1), (0.1, 0), (0.5, 0.5), (-0.1, 0.1)])
def test_refuses_shares_that_leave_a_split_empty(valid: float, test: float) -> None:
    message = "`valid` and `test` must be positive shares that leave some to train, got"
    with pytest.raises(ValueError, match=f"{message} {valid} and {test}"):
        Partition(valid=valid, test=test)


@pytest.mark.parametrize("knob", ["by", "stratify"])
def test_refuses_to_cut_by_a_column_that_is_not_there(knob: str) -> None:
    message = r"`split` must name columns of the table \(group, kind, number\), got 'item'"
    with pytest.raises(ValueError, match=message):
        Partition(**{knob: "item"}).cut(table())


def test_refuses_to_cut_by_too_few_groups() -> None:
    message = "`kind` must have at least 10 different values to be split by, got 3"
    with pytest.raises(ValueError, match=message):
        Partition(by="kind").cut(table())
