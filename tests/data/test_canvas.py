"""Digits on canvases: which image is in which split, and what the arrays hold."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from omegaconf import OmegaConf

from steelyard.construct import construct
from steelyard.data import canvas
from steelyard.data.canvas import Canvas
from steelyard.data.files import File
from steelyard.data.source import SPLITS, Split
from tests.data.idx import idx, written

CONFIGURATION = Path(__file__).parents[2] / "conf/data/canvas.yaml"
N_TRAIN_FILE, N_TEST_FILE = 40, 10
SMALL: dict[str, Any] = {"n_train": 20, "n_valid": 12, "n_test": 8}
each_split = pytest.mark.parametrize("split", SPLITS)


CONFIGURATION = Path(__file__).parents[2] / "conf/data/canvas.yaml"


N_TRAIN_FILE, N_TEST_FILE = 40, 10


SMALL: dict[str, Any] = {"n_train": 20, "n_valid": 12, "n_test": 8}


each_split = pytest.mark.parametrize("split", SPLITS)


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four files of a few digits, where the published ones are looked for."""
    monkeypatch.setenv("STEELYARD_DATA", str(tmp_path))
    (tmp_path / "mnist").mkdir()
    files = {}
    for name, n, first in (("train", N_TRAIN_FILE, 100), ("test", N_TEST_FILE, 200)):
        pair = []
        for published, values in zip(canvas.FILES[name], written(n, first), strict=True):
            (tmp_path / published.path).write_bytes(idx(values))
            pair.append(File(path=published.path))
        files[name] = tuple(pair)
    monkeypatch.setattr(canvas, "FILES", files)
    return tmp_path


def identities(source: Canvas, split: Split) -> np.ndarray:
    """Returns the darkest pixel of each canvas that was not averaged, which tells the digits."""
    return np.round(source.load(split).inputs["pixels"].max(axis=1) * 255).astype(int)


@pytest.mark.usefixtures("small")
@each_split
def test_the_box_is_that_of_the_ink_on_the_canvas(split: Split) -> None:
    examples = Canvas(**SMALL, side=60).load(split)
    sheets = examples.inputs["pixels"].reshape(-1, 60, 60)
    for sheet, box in zip(sheets, examples.targets["box"], strict=True):
        rows, columns = np.nonzero(sheet)
        expected = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]) / 60
        np.testing.assert_allclose(box, expected, rtol=1e-6)


@pytest.mark.usefixtures("small")
@each_split
def test_a_digit_keeps_its_label(split: Split) -> None:
    source = Canvas(**SMALL, side=60)
    np.testing.assert_array_equal(
        source.load(split).targets["digit"], identities(source, split) % 10
    )


@pytest.mark.usefixtures("small")
def test_no_image_is_used_twice_and_each_split_is_of_the_files_it_should_be() -> None:
    source = Canvas(**SMALL, side=60)
    train, valid, test = (identities(source, split) for split in SPLITS)
    used = np.concatenate([train, valid, test])
    assert len(used) == len(np.unique(used)) == 20 + 12 + 8
    assert 100 <= train.min() <= train.max() < 140
    assert 100 <= valid.min() <= valid.max() < 140
    assert 200 <= test.min() <= test.max() < 210


@pytest.mark.usefixtures("small")
def test_more_training_examples_leave_the_others_as_they_are() -> None:
    few, many = Canvas(**SMALL), Canvas(**{**SMALL, "n_train": 28})
    for split in ("valid", "test"):
        np.testing.assert_array_equal(
            few.load(split).inputs["pixels"], many.load(split).inputs["pixels"]
        )
    np.testing.assert_array_equal(
        few.load("train").inputs["pixels"], many.load("train").inputs["pixels"][:20]
    )


@pytest.mark.usefixtures("small")
@each_split
def test_the_same_knobs_give_the_same_arrays_and_another_seed_others(split: Split) -> None:
    one, same, other = (Canvas(**SMALL, seed=seed).load(split) for seed in (1, 1, 2))
    for arrays, others in zip(one, same, strict=True):
        for name, array in arrays.items():
            np.testing.assert_array_equal(array, others[name], err_msg=name, strict=True)
    assert (one.targets["box"] != other.targets["box"]).any(axis=1).mean() > 0.9


@pytest.mark.usefixtures("small")
def test_the_loss_of_the_box_changes_no_array() -> None:
    squared, entropy = (Canvas(**SMALL, box_loss=loss) for loss in ("mse", "binary_crossentropy"))
    assert [task.keras_loss for task in squared.tasks] == ["sparse_categorical_crossentropy", "mse"]
    assert entropy.tasks[1].keras_loss == "binary_crossentropy"
    for name, array in squared.load("train").targets.items():
        np.testing.assert_array_equal(array, entropy.load("train").targets[name])


@pytest.mark.usefixtures("small")
def test_digits_are_put_everywhere_on_the_canvas_and_nowhere_beside_it() -> None:
    source = Canvas(**{**SMALL, "n_train": 28}, canvas=30, side=30)  # 3 places each way
    images = dict(zip(range(100, 140), written(40, 100)[0], strict=True))
    places = set()
    box = np.round(source.load("train").targets["box"] * 30).astype(int)
    for which, (left, top, _, _) in zip(identities(source, "train"), box, strict=True):
        rows, columns = np.nonzero(images[which])
        places.add((left - columns.min(), top - rows.min()))
    assert {left for left, _ in places} == {top for _, top in places} == {0, 1, 2}


@pytest.mark.usefixtures("small")
def test_arrays_are_what_the_source_says_of_them() -> None:
    source = Canvas(**SMALL, side=12)
    pixels = source.inputs[0]
    for split, n in zip(SPLITS, (20, 12, 8), strict=True):
        examples = source.load(split)
        assert examples.inputs["pixels"].shape == (n, *pixels.shape) == (n, 144)
        assert examples.inputs["pixels"].dtype == pixels.dtype == "float32"
        assert tuple(examples.targets) == source.task_names == ("digit", "box")
        assert examples.targets["digit"].dtype == "int32"
        assert examples.targets["box"].dtype == "float32"
        assert examples.targets["box"].shape == (n, 4)
    assert tuple(task.name for task in source.tasks) == source.task_names
    assert source.tasks[0].classes == tuple("0123456789")


def test_the_configuration_is_the_defaults() -> None:
    assert construct(OmegaConf.load(CONFIGURATION)) == Canvas()


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"canvas": 27}, "`canvas` must be at least 28, got 27"),
        ({"side": 7}, "`side` must divide 60, got 7"),
        ({"side": 0}, "`side` must divide 60, got 0"),
        ({"side": 120}, "`side` must divide 60, got 120"),
        ({"n_train": 0}, "`n_train` must be at least 1, got 0"),
        ({"n_valid": 0}, "`n_valid` must be at least 1, got 0"),
        ({"n_test": 0}, "`n_test` must be at least 1, got 0"),
        ({"n_train": 55_001}, "must sum to at most 60000, got 55001 and 5000"),
        ({"n_test": 10_001}, "`n_test` must be at most 10000, got 10001"),
        ({"box_loss": "mae"}, "`box_loss` must be one of mse, binary_crossentropy, got 'mae'"),
        ({"box_loss": ""}, "`box_loss` must be one of mse, binary_crossentropy, got ''"),
        ({"seed": -1}, "`seed` must be at least 0, got -1"),
    ],
)
def test_refuses_what_no_canvases_can_be_made_from(knobs: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Canvas(**knobs)
