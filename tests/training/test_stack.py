"""Models in a stack train as each does without the others, bit for bit, and as a step by itself."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import pytest

from steelyard import (
    DWA,
    Balance,
    NashMTL,
    WeighedModel,
)
from steelyard.data.order import order_of
from steelyard.training.course import Course
from steelyard.training.stack import LEAST
from steelyard.training.stackable import can_be_stacked
from steelyard.weighting.base import Weighting

LAYERS = keras.layers
N, BATCH = 70, 32  # the last batch is smaller
RANDOM = np.random.default_rng(0)
INPUTS = {"x": RANDOM.normal(size=(N, 5)).astype("float32")}
TARGETS = {
    "price": (30 * INPUTS["x"][:, 0] + RANDOM.normal(size=N)).astype("float32"),
    "ideal": (INPUTS["x"][:, 1] > 0).astype("float32"),
    "kind": RANDOM.integers(0, 3, N).astype("int32"),
}
TARGETS["price"][::7] = np.nan  # labels that are missing
TARGETS["kind"][3:40] = -1
LOSSES = {
    "price": "mse",
    "ideal": "binary_crossentropy",
    "kind": "sparse_categorical_crossentropy",
}


def network(seed: int, layer: Any = None, width: int = 16) -> keras.Model:
    keras.utils.set_random_seed(seed)
    given = keras.Input((5,), name="x")
    hidden = LAYERS.LayerNormalization()(LAYERS.Dense(width, activation="relu")(given))
    hidden = hidden if layer is None else layer()(hidden)
    outputs = {
        "price": LAYERS.Dense(1, name="price")(hidden),
        "ideal": LAYERS.Dense(1, "sigmoid", name="ideal")(hidden),
        "kind": LAYERS.Dense(3, "softmax", name="kind")(hidden),
    }
    return keras.Model({"x": given}, outputs)


def adam() -> Any:
    return keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.01, decay_steps=9))


def momentum() -> Any:
    return keras.optimizers.SGD(0.01, momentum=0.9)


def model(
    seed: int,
    method: Weighting | None = None,
    optimizer: Callable[[], Any] = adam,
    layer: Any = None,
    balance: Balance | None = None,
    width: int = 16,
) -> WeighedModel:
    """Returns a model whose weights and loss weights depend on a seed."""
    made = WeighedModel(network(seed, layer, width), method, balance, seed=seed, diagnose_every=2)
    weights = {"price": 0.01 * (1 + seed), "ideal": 1.0, "kind": 3.0}
    made.compile(optimizer(), loss=LOSSES, loss_weights=weights)
    made.optimizer.build(made.trainable_variables)
    return made


def orders(seeds: Sequence[int], epoch: int) -> list[np.ndarray]:
    return [order_of(N, seed, epoch) for seed in seeds]


def stacked(
    trained: Sequence[WeighedModel],
    seeds: Sequence[int],
    size: int,
    n_epochs: int = 3,
    batch_size: int = BATCH,
    course: Course | None = None,
) -> None:
    course = course or Course()
    stack = course.stack(trained[0], size)
    assert stack is not None
    for epoch in range(n_epochs):
        course.train_stack(stack, trained, INPUTS, TARGETS, orders(seeds, epoch), batch_size)


def values(trained: WeighedModel) -> list[np.ndarray]:
    return [np.array(each) for each in trained.state]


def assert_same(one: WeighedModel, other: WeighedModel) -> None:
    for a, b in zip(values(one), values(other), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("optimizer", "batch_size", "width"),
    [
        (adam, 20, 48),
        pytest.param(adam, 32, 3, marks=pytest.mark.slow),
        pytest.param(momentum, 32, 16, marks=pytest.mark.slow),
        pytest.param(momentum, 20, 2, marks=pytest.mark.slow),
    ],
)
def test_a_model_is_what_it_is_in_a_stack_of_any_size(
    optimizer: Callable[[], Any], batch_size: int, width: int
) -> None:
    seeds = (0, 1, 2, 3, 4)
    trained = [model(seed, optimizer=optimizer, width=width) for seed in seeds]
    course = Course()  # which has one trace a size
    stacked(trained, seeds, size=len(seeds), batch_size=batch_size, course=course)
    for seed, size in ((0, 1), (3, 3), (4, 2)):
        alone = model(seed, optimizer=optimizer, width=width)
        stacked([alone], [seed], size=size, batch_size=batch_size, course=course)
        assert_same(alone, trained[seed])
    assert int(trained[0].optimizer.iterations) == 3 * -(-N // batch_size)
    assert float(trained[0].epoch) == 3


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", [adam, momentum])
def test_a_stack_trains_as_a_step_by_itself(optimizer: Callable[[], Any]) -> None:
    """Up to the order in which products are summed; every variable, and what was measured."""
    trained = [model(seed, optimizer=optimizer) for seed in (0, 1, 2)]
    stacked(trained, (0, 1, 2), size=4)
    for seed, each in enumerate(trained):
        alone, course = model(seed, optimizer=optimizer), Course()
        for epoch in range(3):
            course.train(alone, INPUTS, TARGETS, order_of(N, seed, epoch), BATCH)
        for a, b in zip(values(alone), values(each), strict=True):
            np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-5)
        told, wanted = each.diagnosis.told(), alone.diagnosis.told()
        assert told.keys() == wanted.keys()
        assert told == pytest.approx(wanted, rel=1e-3)
        assert each.means.told() == pytest.approx(alone.means.told(), rel=1e-4)


def test_a_model_that_diverges_leaves_the_others_alone() -> None:
    trained = [model(seed) for seed in (0, 1)]
    trained[0].loss_weights.assign({"price": 1e38})
    course = Course()
    stacked(trained, (0, 1), size=2, course=course)
    alone = model(1)
    stacked([alone], [1], size=2, course=course)
    assert_same(alone, trained[1])
    assert not all(np.isfinite(each).all() for each in trained[0].network.get_weights())


def clipped() -> Any:
    return keras.optimizers.Adam(global_clipnorm=1.0)


def bounded() -> Any:
    return LAYERS.Dense(16, kernel_constraint="non_neg")


def penalised() -> Any:
    return LAYERS.Dense(16, kernel_regularizer="l2")


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"method": NashMTL()}, id="a method that compares gradients"),
        pytest.param({"method": DWA()}, id="a method that goes by losses"),
        pytest.param({"balance": Balance(normalise="match_norm")}, id="gradients of equal length"),
        pytest.param({"optimizer": clipped}, id="an optimizer that looks at all variables"),
        pytest.param({"optimizer": keras.optimizers.RMSprop}, id="reciprocal roots"),
        pytest.param({"optimizer": keras.optimizers.Adafactor}, id="an optimizer of rows"),
        pytest.param({"width": 20}, id="widths that leave numbers over"),
        pytest.param({"layer": bounded}, id="bounded weights"),
        pytest.param({"layer": penalised}, id="penalised weights"),
        pytest.param({"layer": lambda: LAYERS.Dropout(0.5)}, id="layers that draw"),
        pytest.param({"layer": LAYERS.BatchNormalization}, id="layers that remember"),
    ],
)
def test_what_cannot_be_stacked_is_trained_by_itself(other: dict[str, Any]) -> None:
    assert can_be_stacked(model(0))
    assert not can_be_stacked(model(0, **other))
    assert Course().stack(model(0, **other), 2) is None


def test_half_a_precision_is_trained_by_itself() -> None:
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        made = model(0)
    finally:
        keras.config.set_dtype_policy("float32")
    assert not can_be_stacked(made)


def test_a_stack_has_room_for_two_at_least() -> None:
    stack = Course().stack(model(0), 1)
    assert stack is not None
    assert stack.size == LEAST
