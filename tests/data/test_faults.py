"""What is wrong or doubtful about examples, and how large the losses of heads are."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from omegaconf import OmegaConf

from steelyard.construct import construct
from steelyard.data.effort import effort
from steelyard.data.faults import doubts, errors
from steelyard.data.labels import Scale, abouts, labels, scale, shares
from steelyard.data.numeric import Numeric
from steelyard.data.source import SPLITS, Examples, Input, Source, Split
from steelyard.data.split import Partition
from steelyard.data.target import Target
from steelyard.task import Task
from tests.data.tables import AGE, PET, TEXT, frame, table_of

CONF = Path(__file__).parents[2] / "conf"
N = 1000
AGE_HEAD = Task(name="age")
WON = Task(name="won", kind="binary", classes=("no", "yes"))
TAGS = Task(name="tags", kind="multilabel", classes=("new", "sale"))
SORT = Task(name="sort", kind="multiclass", classes=("a", "b", "c"))


@dataclass(frozen=True, kw_only=True)
class Given(Source):
    """Examples as a test gives them, the same in each split where a split is not named."""

    named: tuple[Input, ...]
    heads: tuple[Task, ...]
    train: Examples
    others: Mapping[str, Examples] = field(default_factory=dict)

    @property
    def task_names(self) -> tuple[str, ...]:
        return tuple(task.name for task in self.heads)

    @property
    def fingerprint(self) -> str:
        return ""

    @property
    def input_kinds(self) -> dict[str, tuple[str, int]]:
        return {each.name: (each.kind, each.length) for each in self.named}

    @property
    def inputs(self) -> tuple[Input, ...]:
        return self.named

    @property
    def tasks(self) -> tuple[Task, ...]:
        return self.heads

    def load(self, split: Split) -> Examples:
        return self.others.get(split, self.train)


def noise(seed: int = 0, n: int = N) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, 1)).astype("float32")


def found_in(heads: Any, targets: Any, *, others: Any = None, **inputs: np.ndarray) -> list[str]:
    """Returns the doubts about examples whose valid and test are like train, but for their rows."""
    given = inputs or {"x": noise()}
    kinds = {
        name: "category" if array.dtype == "int32" else "numeric" for name, array in given.items()
    }
    named = tuple(
        Input(name=name, kind=kinds[name], shape=array.shape[1:], vocabulary=3)
        for name, array in given.items()
    )
    apart = {
        split: {"apart": noise(seed)} if others is None else {}
        for seed, split in enumerate(SPLITS, start=10)
    }
    named += (Input(name="apart", kind="numeric", shape=(1,)),) if others is None else ()
    splits = {
        split: Examples({**given, **apart[split]}, (others or {}).get(split, targets))
        for split in SPLITS
    }
    source = Given(named=named, heads=tuple(heads), train=splits["train"], others=splits)
    assert errors(source) == []
    return doubts(source, splits)


@pytest.mark.parametrize(
    ("task", "targets", "zero", "constant"),
    [
        (Task(name="y"), [1, 2, 3, np.nan], 14 / 3, 2 / 3),
        (Task(name="y", loss_scale=10), [1, 2, 3], 140 / 3, 20 / 3),
        (Task(name="y", loss="mae"), [0, 0, 3], 1, 1),
        (Task(name="y", loss="huber"), [0.5, 3], 1.3125, (1.25 - 0.5)),
        (Task(name="y", standardize=True, center=2, spread=2), [0, 2, 4], 2 / 3, 2 / 3),
        (WON, [0, 0, 0, 1, np.nan], math.log(2), -0.75 * math.log(0.75) - 0.25 * math.log(0.25)),
        (SORT, [0, 0, 1, 1, -1], math.log(3), math.log(2)),
        (TAGS, [[0, 0], [1, 0]], math.log(2), math.log(2) / 2),
        (Task(name="y", kind="box"), [[0, 0, 1, 1], [0, 0, 0.5, 1]], 0.21875, 0.015625),
    ],
)  # fmt: skip
def test_the_scale_of_a_head(task: Task, targets: Any, zero: float, constant: float) -> None:
    kind = "int32" if task.kind == "multiclass" else "float32"
    found = scale(task, np.array(targets, dtype=kind))
    np.testing.assert_allclose(found, (zero, constant), atol=1e-6)


def test_a_standardized_head_has_a_raw_scale_too_and_else_one() -> None:
    targets = np.array([10, 20, 30, 40], dtype="float32")
    task = Task(name="y", standardize=True).fitted(targets)
    np.testing.assert_allclose(scale(task, targets), (1, 1), rtol=1e-6)
    np.testing.assert_allclose(scale(task, targets, is_raw=True), (750, 125), rtol=1e-6)


def test_shares_of_a_sum_at_equal_weights() -> None:
    assert shares([Scale(6, 1), Scale(3, 1), Scale(1, 1)]) == [0.6, 0.3, 0.1]
    assert shares([Scale(0, 0), Scale(0, 0)]) == [0.5, 0.5]


@pytest.mark.parametrize("kind", ["itself", "squared", "as levels", "backwards"])
def test_a_column_that_gives_a_head_away_is_told(kind: str) -> None:
    x = noise()
    sort = np.digitize(x[:, 0], [-0.5, 0.5]).astype("int32")
    given: dict[str, np.ndarray] = {
        "itself": x,
        "squared": x**2,
        "as levels": sort[:, None],
        "backwards": -np.exp(x),
    }
    column = given[kind]
    age = np.exp(3 * (column if kind != "as levels" else sort[:, None])[:, 0]).astype("float32")
    won = (age > np.median(age)).astype("float32")
    if kind == "as levels":
        won = (sort == 1).astype("float32")
    targets = {"age": age, "won": won, "sort": np.digitize(age, np.quantile(age, [0.3, 0.6]))}
    targets["sort"] = (sort if kind == "as levels" else targets["sort"]).astype("int32")
    found = found_in((AGE_HEAD, WON, SORT), targets, leak=column, other=noise(1))
    told = [line.partition(" away")[0] for line in found if "away" in line]
    assert told == [f"`leak` gives `{head}`" for head in ("age", "won", "sort")]


def test_a_column_that_tells_much_but_not_all_is_no_leak() -> None:
    x = noise()
    won = (x[:, 0] + noise(1)[:, 0] > 0).astype("float32")
    age = x[:, 0] + 0.5 * noise(2)[:, 0]
    assert not found_in((WON, AGE_HEAD), {"won": won, "age": age}, x=x)


def test_a_leak_is_named_by_its_column_in_a_vector_of_a_table(tmp_path: Path) -> None:
    table = table_of(
        tmp_path,
        frame(double=2 * np.arange(60), noise=noise(n=60)[:, 0]),
        inputs_from={"numbers": Numeric(column=("noise", "double"))},
        split=Partition(valid=0.4, test=0.2),
    )
    found = doubts(table, {split: table.load(split) for split in SPLITS})
    assert [line for line in found if "away" in line and "`double` gives `age`" in line]
    assert not [line for line in found if "`noise`" in line]


def test_a_row_that_stands_in_two_splits_is_told() -> None:
    rows = {split: noise(seed) for seed, split in enumerate(SPLITS)}
    rows["valid"][:7] = rows["train"][:7]
    rows["test"][:2] = rows["train"][3:5]
    rows["test"][2] = rows["valid"][100]
    named = (Input(name="x", kind="numeric", shape=(1,)),)
    age = {split: rows[split][:, 0] * 0 + np.arange(N) % 50 for split in SPLITS}
    age["test"][:2] = age["train"][3:5]
    age["test"][2] = age["valid"][100]
    splits = {split: Examples({"x": rows[split]}, {"age": age[split]}) for split in SPLITS}
    source = Given(named=named, heads=(AGE_HEAD,), train=splits["train"], others=splits)
    assert [line for line in doubts(source, splits) if "stand" in line] == [
        "7 of 1,000 rows of valid stand in an earlier split too, with the same labels",
        "3 of 1,000 rows of test stand in an earlier split too, with the same labels",
    ]
    age["valid"][:7] += 1  # other labels: other rows
    assert "7 of 1,000" not in " ".join(doubts(source, splits))


def test_rows_of_few_kinds_are_no_copies_of_one_another() -> None:
    levels = (np.arange(N) % 3).astype("int32")[:, None]
    targets = {"won": (noise(3)[:, 0] > 0).astype("float32")}
    assert not found_in((WON,), targets, others={"valid": targets}, level=levels)


def test_labels_that_are_missing_rare_or_all_the_same_are_told() -> None:
    sort = np.full(N, 0, dtype="int32")
    sort[:4] = 1
    sort[4:9] = 2
    won = np.full(N, np.nan, dtype="float32")
    won[:400] = np.arange(400) % 2
    targets = {"sort": sort, "won": won, "age": np.full(N, 0.5, dtype="float32")}
    assert found_in((SORT, WON, AGE_HEAD), targets) == [
        "`sort` has classes of fewer than 5 rows in train: 'b' (4)",
        "`won` has no label in 60% of the rows of train",
        "`age` has the same label in all rows of train",
    ]
    one = {"sort": np.zeros(N, dtype="int32")}
    assert "`sort` has one class only in train" in found_in((SORT,), one)


def test_a_head_that_drowns_the_others_is_told() -> None:
    targets = {"age": 40 + noise(1)[:, 0], "won": (noise(2)[:, 0] > 0).astype("float32")}
    assert found_in((AGE_HEAD, WON), targets) == [
        "`age` takes 100.0% of a sum at equal weights: sweep loss weights"
    ]
    assert not found_in((AGE_HEAD,), {"age": targets["age"]})


def test_a_split_with_other_shares_is_told() -> None:
    won = (np.arange(N) % 4 == 0).astype("float32")
    test = {"won": (np.arange(N) % 2).astype("float32")}
    found = found_in((WON,), {"won": won}, others={"test": test}, x=noise())
    [line] = [line for line in found if "frequent" in line]
    assert line.startswith("`won` has its most frequent class in 50% of test, and in 75% of train")


def test_numbers_that_are_far_off_are_told_the_farthest_first() -> None:
    x = np.concatenate([noise(seed) for seed in range(3)], axis=1)
    x[0, 1:] = 30, 1e4
    [line] = found_in((AGE_HEAD,), {"age": noise(5)[:, 0]}, x=x)
    assert line == (
        "`x[2]` (32), `x[1]` (22) have a value that many standard deviations from the mean in train"
    )
    x[0, 1] = 1
    [line] = found_in((AGE_HEAD,), {"age": noise(5)[:, 0]}, x=x)
    assert line.startswith("`x[2]` (32) has a value")


@pytest.mark.parametrize(("length", "cut"), [(2, True), (5, False)])
def test_texts_that_are_cut_and_words_that_are_not_known_are_told(
    tmp_path: Path, length: int, cut: bool
) -> None:
    table = table_of(
        tmp_path, frame(), inputs_from={"text": type(TEXT)(column="text", length=length)}
    )
    found = " ".join(doubts(table, {split: table.load(split) for split in SPLITS}))
    assert ("`text` fills its 2 words in 100% of the rows, or is cut" in found) == cut
    # One of three words is a row's own; of the first two words of a row it is one of two.
    share = "50%" if cut else "33%"
    assert f"`text` has {share} unknown words in valid" in found


def test_every_column_that_cannot_be_read_is_told_at_once(tmp_path: Path) -> None:
    weights = ["heavy", *map(str, range(59))]
    ages = [*map(str, range(59)), "37years"]
    inputs = {"weight": Numeric(column="weight"), "town": Numeric(column="town")}
    table = table_of(tmp_path, frame(weight=weights, age=ages), inputs_from=inputs)
    found = errors(table)
    assert [line.partition(" must")[0] for line in found] == ["`weight`", "`town`", "`age`"]
    assert "got '37years' in row 61 of the file (1 such rows)" in found[2]
    assert not any("\n" in line for line in found)


def test_a_column_that_is_not_there_is_the_one_thing_told(tmp_path: Path) -> None:
    tasks = {"age": AGE, "size": Target(column="size", kind="regression")}
    [line] = errors(table_of(tmp_path, frame(), tasks_from=tasks))
    assert line.startswith("`size.column` must be a column of")


def test_labels_of_a_table_are_those_that_train(tmp_path: Path) -> None:
    table = table_of(tmp_path, frame(), tasks_from={"age": AGE, "pet": PET})
    for (task, targets), trained in zip(labels(table).values(), table.tasks, strict=True):
        assert task == trained
        np.testing.assert_array_equal(targets, table.load("train").targets[task.name])


def test_effort_counts_rows_and_bytes(tmp_path: Path) -> None:
    table = table_of(tmp_path, frame())
    cost = effort(table.inputs, {split: table.load(split) for split in SPLITS})
    assert cost.n_rows == {"train": 48, "valid": 6, "test": 6}
    assert cost.n_bytes == 60 * (4 * 4 + 4)  # four words and an age, of four bytes each
    assert cost.seconds > 0


def test_rating_gives_away_who_recommends(real_data: Path) -> None:
    settings = OmegaConf.load(CONF / "data" / "clothing.yaml")
    settings.inputs_from.rating = {"_target_": "steelyard.data.numeric.Numeric", "column": "Rating"}
    source = construct(settings)
    splits = {split: source.load(split) for split in SPLITS}
    leaks = [line for line in doubts(source, splits) if "away" in line]
    assert len(leaks) == 1
    assert leaks[0].startswith("`Rating` gives `recommended` away by itself (AUC 0.97")
    by_name = {about.task.name: about for about in abouts(source.tasks, splits)}
    assert by_name["age"].share > 0.99
    assert by_name["class"].scale.zero == pytest.approx(math.log(10))
