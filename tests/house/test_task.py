"""A task: which names, kinds and losses it takes, and how it scales and masks its targets."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from steelyard.cli.validate import check_names
from steelyard.construct import Refused
from steelyard.task import HEADLINE, LOSSES, MEASURES, NO_CLASS, Task

whole = st.integers(-(10**6), 10**6).map(float)
ages = arrays("float64", st.integers(1, 20), elements=whole)


@pytest.mark.parametrize("name", ["fat (g)", "a/b", "a:b", "50%", "a,b", "a=b", "a'b", "a\nb", ""])
def test_a_name_that_keras_or_mlflow_refuses_is_refused(name: str) -> None:
    message = re.escape(f"for a head, got {name!r}.")
    with pytest.raises(ValueError, match=f"must be a name of letters from a to z, .* {message}"):
        Task(name=name)


@pytest.mark.parametrize("name", ["age", "fat_g", "fat-g", "v1.2", "0", "_x", "-x", "dense_1"])
def test_a_plain_name_is_taken(name: str) -> None:
    assert Task(name=name).name == name
    check_names([name])
    call_in_a_graph(name)


@pytest.mark.parametrize("name", ["fat g", " ", "größe", ".", "..", "a/b", "rule", "text>dense"])
def test_a_name_that_would_break_a_run_is_refused_before_it_begins(name: str) -> None:
    with pytest.raises(Refused, match="must name heads by letters"):
        check_names(["age", name])


def call_in_a_graph(name: str) -> None:
    """Calls a network with a head of this name as training does."""
    given = keras.Input((2,))
    network = keras.Model(given, keras.layers.Dense(1, name=name)(given))
    tf.function(network)(tf.ones((1, 2)))


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"kind": "rank"}, "`age.kind` must be one of regression, .*, box, got 'rank'"),
        ({"loss": "hinge"}, "`age.loss` must be one of mse, mae, huber for a regression head"),
        (
            {"kind": "binary", "loss": "mse"},
            "`age.loss` must be one of binary_crossentropy for a binary head, got 'mse'",
        ),
    ],
)
def test_refuses_what_it_is_not(knobs: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Task(name="age", **knobs)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", LOSSES)
def test_every_kind_has_losses_that_keras_knows_and_is_judged_by_a_measure(kind: str) -> None:
    for loss in LOSSES[kind]:
        assert Task(name="it", kind=kind, loss=loss).keras_loss == loss
        assert callable(keras.losses.get(loss))
    assert Task(name="it", kind=kind).keras_loss == LOSSES[kind][0]
    assert HEADLINE[kind] in MEASURES[kind]


@pytest.mark.parametrize(
    ("kind", "classes", "width"),
    [
        ("regression", (), 1),
        ("binary", (), 1),
        ("binary", ("no", "yes"), 1),
        ("multiclass", ("low", "middle", "high"), 3),
    ],
)
def test_a_head_is_as_wide_as_its_classes_are_many(
    kind: str, classes: tuple[str, ...], width: int
) -> None:
    assert Task(name="it", kind=kind, classes=classes).width == width


def test_a_missing_label_is_nan_or_no_class() -> None:
    for kind in ("regression", "binary"):
        targets = np.array([0.0, np.nan, 1, NO_CLASS])
        found = Task(name="it", kind=kind).is_missing(targets)
        np.testing.assert_array_equal(found, [False, True, False, False])
    found = Task(name="it", kind="multiclass").is_missing(np.array([0, NO_CLASS, 2]))
    np.testing.assert_array_equal(found, [False, True, False])


def test_center_and_spread_are_of_the_labels_that_are_there() -> None:
    task = Task(name="age", standardize=True).fitted(np.array([10, np.nan, 30], "float32"))
    assert (task.center, task.spread) == (20, 10)
    np.testing.assert_array_equal(task.scale(np.array([30, np.nan, 20])), [1, np.nan, 0])


@pytest.mark.parametrize(
    "value",
    [
        7.0,
        0.1,  # whose mean is rounded
    ],
)
def test_targets_that_never_change_are_centered_alone(value: float) -> None:
    task = Task(name="age", standardize=True).fitted(np.full(7, value))
    assert task.center == pytest.approx(value)
    assert task.spread == 1


def test_a_task_that_is_not_standardized_keeps_its_unit() -> None:
    task, targets = Task(name="age"), np.array([10.0, 30])
    assert task.fitted(targets) is task
    assert task.scale(targets) is targets
    assert task.unscale(targets) is targets


@given(targets=ages)
def test_a_target_that_is_scaled_and_unscaled_is_as_it_was(targets: np.ndarray) -> None:
    task = Task(name="age", standardize=True).fitted(targets)
    scaled = task.scale(targets)
    assert scaled.mean() == pytest.approx(0, abs=1e-6)
    assert scaled.std() == pytest.approx(1 if targets.std() > 0 else 0)
    np.testing.assert_allclose(task.unscale(scaled), targets, rtol=0, atol=1e-6)
