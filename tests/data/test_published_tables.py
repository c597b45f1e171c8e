"""The published tables, as `conf/data` reads them: rows, shares, and what is kept apart."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from omegaconf import OmegaConf

from steelyard.construct import construct
from steelyard.data.source import PADDING, SPLITS, Examples
from steelyard.data.table import Table

CONF = Path(__file__).parents[2] / "conf" / "data"
PUBLISHED = ("skin", "skin_malignant", "diamonds", "wine", "clothing_numbers")
LEAKS = {"Rating", "dx_type", "Department Name", "Division Name"}


def described(name: str) -> Table:
    table = construct(OmegaConf.load(CONF / f"{name}.yaml"))
    assert isinstance(table, Table)
    return table


@pytest.fixture(scope="module")
def tables() -> dict[str, Table]:
    """The tables that a test has read: reading each once is enough."""
    return {}


@pytest.fixture
def published(
    tables: dict[str, Table], real_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Any:
    """Returns a table by its name; decoded images are kept in a folder of the test's own."""
    monkeypatch.chdir(tmp_path)

    def read(name: str) -> Table:
        if name not in tables:
            tables[name] = described(name)
            assert tables[name].tasks
        return tables[name]

    return read


def whole(table: Table) -> Examples:
    """Returns the examples of all splits, one split after the other."""
    parts = [table.load(split) for split in SPLITS]
    inputs = {name: np.concatenate([each.inputs[name] for each in parts]) for name in parts[0][0]}
    targets = {name: np.concatenate([each.targets[name] for each in parts]) for name in parts[0][1]}
    return Examples(inputs, targets)


@pytest.mark.parametrize("name", PUBLISHED)
def test_nothing_that_gives_a_head_away_goes_in_and_heads_keep_their_units(name: str) -> None:
    table = described(name)
    read = {column for each in table.inputs_from.values() for column in each.columns}
    asked = {column for target in table.tasks_from.values() for column in target.columns}
    assert not read & (asked | LEAKS)
    assert not any(target.standardize for target in table.tasks_from.values())
    made_of = {name: text for name, text in table.derive.items() if name in read}
    assert not [text for text in made_of.values() for each in LEAKS | asked if each in text]


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_file_has_its_hash_and_none_is_read_for_the_fingerprint(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STEELYARD_DATA", raising=False)
    table = described(name)
    n_files = 1 + len(table.more_files) + ("image" in table.inputs_from)
    hashes = table.fingerprint.split()
    assert len(set(hashes)) == n_files
    assert {len(each) for each in hashes} == {64}


@pytest.mark.parametrize("name", PUBLISHED)
def test_inputs_are_whole_numbers_of_the_shape_that_is_said(published: Any, name: str) -> None:
    table = published(name)
    for split in SPLITS:
        examples = table.load(split)
        for each in table.inputs:
            array = examples.inputs[each.name]
            assert (array.shape[1:], array.dtype) == (each.shape, each.dtype)
            assert np.isfinite(array).all()


@pytest.mark.parametrize(
    ("name", "n_rows", "widths"),
    [
        ("skin", 10_015, {"image": (28, 28, 1), "metadata": (9,)}),
        ("skin_malignant", 10_015, {"image": (28, 28, 1), "metadata": (10,)}),
        ("diamonds", 53_940 - 146 - 19, {"features": (10,)}),  # of the 20 at zero one is doubled
        ("wine", 1_599 + 4_898 - 1_177, {"features": (11,)}),
        ("clothing_numbers", 23_486 - 845, {"numbers": (3,), "text": (100,)}),
    ],
)
def test_all_usable_rows_are_there(
    published: Any, name: str, n_rows: int, widths: dict[str, tuple[int, ...]]
) -> None:
    table = published(name)
    assert {each.name: each.shape for each in table.inputs} == widths
    sizes = [len(next(iter(table.load(split).targets.values()))) for split in SPLITS]
    assert sum(sizes) == n_rows
    assert [size / n_rows for size in sizes] == pytest.approx([5 / 7, 1 / 7, 1 / 7], abs=0.003)


@pytest.mark.parametrize(
    ("name", "column"),
    [("skin", "lesion_id"), ("clothing_numbers", "Clothing ID")],
)
def test_splits_share_no_lesion_and_no_item(published: Any, name: str, column: str) -> None:
    source = published(name)
    table = source.table()
    parts = [set(table[column].iloc[rows]) for rows in source.split.cut(table).values()]
    assert sum(map(len, parts)) == len(set.union(*parts))


@pytest.mark.parametrize(
    ("name", "head", "share", "off"),
    [
        ("skin", "malignant", 0.195, 0.002),
        ("skin_malignant", "malignant", 0.195, 0.002),
        ("diamonds", "ideal", 0.400, 0.002),
        ("wine", "red", 0.255, 0.002),
        ("clothing_numbers", "recommended", 0.82, 0.015),
    ],
)
def test_the_share_of_positives_is_the_published_one_in_each_split(
    published: Any, name: str, head: str, share: float, off: float
) -> None:
    for split in SPLITS:
        labels = published(name).load(split).targets[head]
        assert set(np.unique(labels)) == {0.0, 1.0}
        assert labels.mean() == pytest.approx(share, abs=off), split


def test_ages_of_patients_are_missing_where_they_are_and_the_mean_as_an_input(
    published: Any,
) -> None:
    age = whole(published("skin")).targets["age"]
    assert np.isnan(age).sum() == 57
    assert (np.nanmin(age), np.nanmax(age)) == (0, 85)
    first = whole(published("skin_malignant")).inputs["metadata"][:, 0]
    np.testing.assert_array_equal(first[np.isnan(age)], 0)  # the two tables are cut alike
    assert np.corrcoef(first[~np.isnan(age)], age[~np.isnan(age)])[0, 1] == pytest.approx(1)


def test_a_diagnosis_is_malignant_or_not(published: Any) -> None:
    table = published("skin")
    names = np.array(table.tasks[1].classes)
    assert sorted(names) == ["akiec", "bcc", "bkl", "df", "mel", "nv", "vasc"]
    targets = whole(table).targets
    expected = np.isin(names[targets["diagnosis"]], ["mel", "bcc", "akiec"])
    np.testing.assert_array_equal(targets["malignant"], expected)
    shares = [np.mean(names[table.load(split).targets["diagnosis"]] == "nv") for split in SPLITS]
    assert shares == pytest.approx([0.669] * 3, abs=0.002)


def test_photographs_of_a_tar_are_decoded_to_the_arrays_of_the_npz(
    published: Any, real_data: Path
) -> None:
    config: Any = OmegaConf.load(CONF / "skin.yaml")
    config.inputs_from.image.update(
        {"images": "ham10000/images_2500.tar", "sha256": "", "skip_missing": True}
    )
    table = construct(config)
    sizes = [len(table.load(split).targets["age"]) for split in SPLITS]
    assert sum(sizes) == 2_499
    kept = table.table().head(300)
    arrays = [
        each.inputs_from["image"].read("image", kept, {}) for each in (table, published("skin"))
    ]
    np.testing.assert_allclose(*arrays, atol=1.01 / 255)  # one level: both are rounded


def test_price_and_quality_have_the_spread_that_is_known_of_them(published: Any) -> None:
    price = whole(published("diamonds")).targets["price"].astype("float64")
    assert price.var() == pytest.approx(1.6e7, rel=0.02)
    assert np.square(price).mean() == pytest.approx(3.1e7, rel=0.02)
    quality = whole(published("wine")).targets["quality"]
    assert (quality.min(), quality.max()) == (3, 9)
    assert quality.var() == pytest.approx(0.77, abs=0.01)


def test_reviews_are_no_longer_than_the_text_and_its_length_is_told(published: Any) -> None:
    source = published("clothing_numbers")
    assert {task.name: task.width for task in source.tasks} == {
        "recommended": 1,
        "class": 10,
        "age": 1,
    }
    inputs = whole(source).inputs
    n_words = (inputs["text"] != PADDING).sum(axis=1)
    assert n_words.min() >= 1
    assert np.corrcoef(n_words, inputs["numbers"][:, 1])[0, 1] > 0.97
