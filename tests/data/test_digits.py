"""Pairs of digits: each image is the two that its targets say, and no digit is in two splits."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from omegaconf import OmegaConf

from steelyard.construct import construct
from steelyard.data.digits import Digits, glyphs
from steelyard.data.source import SPLITS, Split

CONFIGURATION = Path(__file__).parents[2] / "conf/data/digits.yaml"
each_split = pytest.mark.parametrize("split", SPLITS)


def halves(source: Digits, split: Split) -> tuple[np.ndarray, np.ndarray]:
    """Returns the left and the right digits of a split [N, 64], from 0 to 16."""
    image = source.load(split).inputs["image"][..., 0] * 16
    left, right = np.split(image, 2, axis=2)
    return left.reshape(len(image), -1), right.reshape(len(image), -1)


def distinct(rows: np.ndarray) -> set[bytes]:
    return {row.astype("uint8").tobytes() for row in rows}


@each_split
def test_the_same_knobs_give_the_same_arrays_and_another_seed_others(split: Split) -> None:
    one, same, other = (Digits(seed=seed).load(split) for seed in (1, 1, 2))
    for arrays, others in zip(one, same, strict=True):
        for name, array in arrays.items():
            np.testing.assert_array_equal(array, others[name], err_msg=name, strict=True)
    is_same = (one.inputs["image"] == other.inputs["image"]).all(axis=(1, 2, 3))
    assert is_same.mean() < 0.01


@each_split
def test_no_digit_s_image_is_in_two_splits(split: Split) -> None:
    source = Digits()
    here = distinct(np.concatenate(halves(source, split)))
    for other in set(SPLITS) - {split}:
        assert not here & distinct(np.concatenate(halves(source, other)))


def test_every_digit_is_in_one_split_of_its_share() -> None:
    images, _ = glyphs()
    assert len(distinct(images.reshape(len(images), -1))) == len(images) == 1797
    cut = Digits().cut()
    assert [len(cut[split]) for split in SPLITS] == [1078, 360, 359]
    np.testing.assert_array_equal(np.sort(np.concatenate(list(cut.values()))), np.arange(1797))
    for part in cut.values():
        assert set(glyphs()[1][part]) == set(range(10))


@each_split
def test_an_image_is_the_two_digits_that_its_targets_say(split: Split) -> None:
    images, numbers = glyphs()
    number = {
        image.tobytes(): digit
        for image, digit in zip(images.reshape(len(images), -1), numbers, strict=True)
    }
    source = Digits(n_train=400)
    targets = source.load(split).targets
    for side, rows in zip(("left", "right"), halves(source, split), strict=True):
        seen = [number[row.astype("uint8").tobytes()] for row in rows]
        np.testing.assert_array_equal(targets[side], seen)


@each_split
def test_the_sum_is_that_of_the_two(split: Split) -> None:
    targets = Digits().load(split).targets
    np.testing.assert_array_equal(targets["sum"], targets["left"] + targets["right"])
    assert targets["sum"].min() >= 0
    assert targets["sum"].max() <= 18
    assert targets["sum"].mean() == pytest.approx(9, abs=0.7)


def test_left_and_right_are_drawn_each_by_itself() -> None:
    targets = Digits(n_train=20_000).load("train").targets
    assert abs(np.corrcoef(targets["left"], targets["right"])[0, 1]) < 0.03


def test_arrays_are_what_the_source_says_of_them() -> None:
    source = Digits(n_train=103)
    image = source.inputs[0]
    for split, n in zip(SPLITS, (103, 25, 25), strict=True):
        examples = source.load(split)
        assert examples.inputs["image"].shape == (n, *image.shape) == (n, 8, 16, 1)
        assert examples.inputs["image"].dtype == image.dtype == "float32"
        assert examples.inputs["image"].min() == 0
        assert examples.inputs["image"].max() == 1
        kinds = {name: (array.dtype.name, array.shape) for name, array in examples.targets.items()}
        assert kinds == {
            "left": ("int32", (n,)),
            "right": ("int32", (n,)),
            "sum": ("float32", (n,)),
        }
        assert tuple(kinds) == source.task_names
    assert source.input_kinds == {"image": ("image", 8)}


def test_the_heads_are_two_of_ten_classes_and_a_number() -> None:
    tasks = {task.name: task for task in Digits().tasks}
    assert tuple(tasks) == Digits().task_names
    assert tasks["left"].classes == tasks["right"].classes == tuple("0123456789")
    assert [task.width for task in tasks.values()] == [10, 10, 1]
    assert tasks["sum"].keras_loss == "mse"
    assert not tasks["sum"].standardize


def test_the_fingerprint_is_a_hash_of_the_digits_whatever_the_knobs() -> None:
    assert len(Digits().fingerprint) == 64
    assert Digits().fingerprint == Digits(n_train=8, seed=5).fingerprint


def test_the_configuration_is_the_defaults() -> None:
    assert construct(OmegaConf.load(CONFIGURATION)) == Digits()


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"n_train": 3}, "`n_train` must be at least 4, got 3"),
        ({"seed": -1}, "`seed` must be at least 0, got -1"),
    ],
)
def test_refuses_what_no_pairs_can_be_made_from(knobs: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Digits(**knobs)
