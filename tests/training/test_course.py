"""A traced epoch serves every model of its make, bit for bit, and no model of another."""

from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import keras
import numpy as np
import pytest

from steelyard import DWA, FAMO, RLW, Balance, Fixed, NashMTL, Uncertainty, WeighedModel
from steelyard.data.order import order_of
from steelyard.training import course as of_course
from steelyard.training.course import N_KEPT, Course, Traced, course_of
from steelyard.training.row_optimizers import exact_by_rows
from steelyard.weighting.base import Weighting
from tests.training.networks import LENGTH, LOSSES, N_WORDS, tokens

LAYERS = keras.layers
WORDS, TARGETS = tokens()  # 70 texts: in batches of 32, the last is smaller
INPUTS = {"words": WORDS}


def network(seed: int) -> keras.Model:
    """Returns three heads on an embedding, with all that a step moves beside its weights."""
    keras.utils.set_random_seed(seed)
    words = keras.Input((LENGTH,), dtype="int32", name="words")
    hidden = LAYERS.Flatten()(LAYERS.Embedding(N_WORDS, 4)(words))
    hidden = LAYERS.Dropout(0.3)(LAYERS.BatchNormalization()(hidden))
    heads = {"age": (1, None), "income": (5, "softmax"), "gender": (1, "sigmoid")}
    outputs = {head: LAYERS.Dense(n, act, name=head)(hidden) for head, (n, act) in heads.items()}
    return keras.Model({"words": words}, outputs)


def model(
    seed: int,
    method: Weighting | None = None,
    optimizer: Callable[[], Any] = keras.optimizers.SGD,
    draws_from: int | None = None,
    **balance: Any,
) -> WeighedModel:
    """Returns a model whose weights, loss weights and draws depend on a seed."""
    drawn = seed if draws_from is None else draws_from
    made = WeighedModel(network(seed), method, Balance(**balance), seed=drawn, diagnose_every=0)
    weights = {"age": 0.1 + seed, "income": 1.0, "gender": 3.0}
    made.compile(optimizer(), loss=LOSSES, loss_weights=weights)
    made.optimizer.build(made.trainable_variables)
    return made


def train(course: Course, trained: WeighedModel, seed: int = 0, n_epochs: int = 2) -> None:
    for epoch in range(n_epochs):
        order = order_of(len(WORDS), seed, epoch)
        course.train(trained, INPUTS, TARGETS, order, batch_size=32)


def values(trained: WeighedModel) -> list[np.ndarray]:
    return [np.array(each) for each in trained.state]


def assert_same(one: list[np.ndarray], other: list[np.ndarray]) -> None:
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a, b)


def cosine(kind: Callable[..., Any]) -> Callable[[], Any]:
    """Returns what makes an optimizer whose learning rate falls in six steps."""
    schedules = keras.optimizers.schedules
    return lambda: exact_by_rows(kind(schedules.CosineDecay(0.01, decay_steps=6)))


SLOW = pytest.mark.slow
CASES = [
    pytest.param(RLW(), {"optimizer": cosine(keras.optimizers.Adam)}, id="draws, adam by cosine"),
    pytest.param(
        DWA(), {"optimizer": cosine(keras.optimizers.RMSprop)}, id="memory, by rows", marks=SLOW
    ),
    pytest.param(Uncertainty(), {}, id="learnt weights", marks=SLOW),
    pytest.param(NashMTL(), {}, id="gradients", marks=SLOW),
    pytest.param(NashMTL(), {"update_every": 2}, id="every second step", marks=SLOW),
    pytest.param(NashMTL(), {"on": "representation"}, id="on representation", marks=SLOW),
    pytest.param(FAMO(), {}, id="a second pass", marks=SLOW),
    pytest.param(Fixed(), {"normalise": "match_norm"}, id="a balance of gradients", marks=SLOW),
]


@pytest.mark.parametrize("n_gathered", [1, 64, 65])
def test_examples_may_be_put_in_order_a_few_batches_at_a_time(
    n_gathered: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once, by_parts = model(0), model(0)
    train(Course(), at_once)
    monkeypatch.setattr(of_course, "N_GATHERED", n_gathered)  # 70 examples, in batches of 32
    train(Course(), by_parts)
    assert_same(values(by_parts), values(at_once))


@pytest.mark.parametrize(("method", "options"), CASES)
def test_a_second_model_is_trained_as_by_a_course_of_its_own(
    method: Weighting, options: dict[str, Any]
) -> None:
    first, second, twin = (model(seed, method, **options) for seed in (1, 2, 2))
    shared, own = Course(), Course()
    train(shared, first, seed=1)
    before = values(first)
    train(shared, second, seed=2)
    assert_same(values(first), before)
    train(own, twin, seed=2)
    assert_same(values(second), values(twin))
    assert any((a != b).any() for a, b in zip(values(second), before, strict=True))

    shared.outputs(first.network, INPUTS)
    ours, theirs = shared.outputs(second.network, INPUTS), own.outputs(twin.network, INPUTS)
    assert ours.keys() == theirs.keys() == LOSSES.keys()
    assert_same([ours[head] for head in LOSSES], [theirs[head] for head in LOSSES])
    assert_same(values(first), before)


def test_models_of_one_make_draw_by_their_own_seeds() -> None:
    course = Course()
    trained = [model(0, RLW(), draws_from=seed) for seed in (1, 2, 1)]
    for each in trained:
        train(course, each, n_epochs=1)
    weights = [np.array(each.means.weights.sums)[0] for each in trained]
    assert (weights[0] != weights[1]).all()
    np.testing.assert_array_equal(weights[0], weights[2])


def test_models_that_train_at_the_same_time_do_not_touch_each_other() -> None:
    course, n_models = Course(), 4
    beside, alone = ([model(seed) for seed in range(n_models)] for _ in range(2))
    with ThreadPoolExecutor(n_models) as threads:
        for done in [threads.submit(train, course, each) for each in beside]:
            done.result()
    for one, other in zip(beside, alone, strict=True):
        train(course, other)
        assert_same(values(one), values(other))


def test_an_epoch_is_what_keras_makes_of_the_same_order() -> None:
    ours, theirs = model(1), model(1)
    train(Course(), ours, n_epochs=1)
    order = order_of(len(WORDS), 0, 0)
    targets = {head: each[order] for head, each in TARGETS.items()}
    theirs.fit({"words": WORDS[order]}, targets, batch_size=32, shuffle=False, verbose=0)
    pairs = zip(ours.network.get_weights(), theirs.network.get_weights(), strict=True)
    for one, other in pairs:
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-7)


def test_outputs_of_several_batches_are_those_of_the_network() -> None:
    many = {"words": np.tile(WORDS, (8, 1))}  # 560 texts, of which 512 are looked at together
    trained = model(0)
    found = Course().outputs(trained.network, many)
    wanted = trained.network.predict(many, verbose=0)
    for head in LOSSES:
        np.testing.assert_allclose(found[head], wanted[head], rtol=1e-5, atol=1e-6)


def test_a_variable_that_the_model_does_not_name_is_an_error() -> None:
    mine, other = keras.Variable(1.0), keras.Variable(2.0)
    with pytest.raises(RuntimeError, match="a variable that its model does not name"):
        Traced(lambda: mine.value + other.value, (), [mine])


def test_of_more_makes_than_are_kept_the_oldest_is_traced_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(of_course, "_courses", OrderedDict())
    courses = [course_of(f"make {n}") for n in range(N_KEPT)]
    trained, again = model(0), model(0)
    train(courses[1], trained, n_epochs=1)
    assert course_of("make 0") is courses[0]  # used again, so the next one is the oldest
    course_of("one more")
    assert course_of("make 0") is courses[0]
    anew = course_of("make 1")
    assert anew is not courses[1]
    train(courses[1], trained, n_epochs=1)  # a run that holds what was dropped goes on with it
    train(anew, again, n_epochs=1)
    train(anew, again, n_epochs=1)
    assert_same(values(trained), values(again))
