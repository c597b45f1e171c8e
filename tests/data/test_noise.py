"""Random examples: of the shapes that were asked for, and of nothing else."""

from typing import Any

import numpy as np
import pytest

from steelyard.data.noise import Noise, NoiseInput, NoiseTask
from steelyard.data.source import SPLITS

INPUTS = {
    "words": NoiseInput(kind="text", shape=(7,), vocabulary=5),
    "image": NoiseInput(kind="image", shape=(4, 3, 1)),
}
TASKS = {
    "age": NoiseTask(kind="regression"),
    "pet": NoiseTask(kind="multiclass", n_classes=3),
    "tags": NoiseTask(kind="multilabel", n_classes=2),
    "box": NoiseTask(kind="box"),
}


def noise(**knobs: Any) -> Noise:
    return Noise(**{"inputs_of": INPUTS, "tasks_of": TASKS, "n_train": 40, **knobs})


def test_examples_have_the_shapes_that_are_asked_for() -> None:
    source = noise()
    assert source.input_kinds == {"words": ("text", 7), "image": ("image", 3)}
    for split, n in zip(SPLITS, (40, 10, 10), strict=True):
        examples = source.load(split)
        for each in source.inputs:
            array = examples.inputs[each.name]
            assert (array.shape, array.dtype) == ((n, *each.shape), each.dtype)
        assert {name: each.shape for name, each in examples.targets.items()} == {
            "age": (n,),
            "pet": (n,),
            "tags": (n, 2),
            "box": (n, 4),
        }
        corners = examples.targets["box"]
        assert (corners[:, :2] <= corners[:, 2:]).all()
        assert not any(task.is_missing(examples.targets[task.name]).any() for task in source.tasks)


def test_the_seed_draws_them() -> None:
    one, same, other = (noise(seed=seed).load("train") for seed in (1, 1, 2))
    for name, array in one.inputs.items():
        np.testing.assert_array_equal(array, same.inputs[name])
        assert (array != other.inputs[name]).any()


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"inputs_of": {}}, "`inputs_of` must name at least one, got none"),
        ({"tasks_of": {}}, "`tasks_of` must name at least one, got none"),
        ({"n_train": 3}, "`n_train` must be at least 4, got 3"),
        ({"seed": -1}, "`seed` must be at least 0, got -1"),
    ],
)
def test_refuses_examples_that_cannot_be(knobs: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        noise(**knobs)


def test_refuses_shapes_and_classes_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="`vocabulary` must be at least 2 for a text, got 0"):
        NoiseInput(kind="text", shape=(4,))
    with pytest.raises(ValueError, match=r"`shape` must hold positive sizes, got \[0\]"):
        NoiseInput(kind="numeric", shape=(0,))
    with pytest.raises(ValueError, match=r"`kind` must be one of text, .*, got 'sound'"):
        NoiseInput(kind="sound", shape=(4,))
    with pytest.raises(ValueError, match="`n_classes` must be at least 2 for a multiclass head"):
        NoiseTask(kind="multiclass")
