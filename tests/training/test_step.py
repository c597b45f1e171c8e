"""The step against plain Keras, against the mathematics, and against finite differences."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from steelyard.training.balance import Balance
from steelyard.training.rows import rows_of, summed
from steelyard.training.weighed_model import WeighedModel
from steelyard.weighting.base import Weighting
from steelyard.weighting.dwa import DWA
from steelyard.weighting.fixed import Fixed
from steelyard.weighting.nash_mtl import NashMTL
from steelyard.weighting.uncertainty import Uncertainty
from tests.training.networks import LOSSES, WEIGHTS, network, tokens

METHODS: list[Weighting] = [Fixed(), Uncertainty(), NashMTL()]
each_method = pytest.mark.parametrize(
    "method",
    [*METHODS, pytest.param(DWA(), marks=pytest.mark.slow)],
    ids=lambda each: type(each).__name__,
)


def weighed(method: Weighting | None = None, **options: Any) -> WeighedModel:
    given = options.pop("network", None) or network()
    model = WeighedModel(given, method, diagnose_every=0)  # traces half as long
    model.compile(options.pop("optimizer", "sgd"), loss=LOSSES, loss_weights=WEIGHTS, **options)
    return model


def largest_gap(one: keras.Model, other: keras.Model) -> float:
    pairs = zip(one.get_weights(), other.get_weights(), strict=True)
    return max(float(np.abs(a - b).max()) for a, b in pairs)


def test_fixed_weights_train_as_plain_keras_does() -> None:
    words, targets = tokens()
    plain = network()
    plain.compile("sgd", loss=LOSSES, loss_weights=WEIGHTS)
    model = weighed()
    for each in (plain, model):
        each.fit(words, targets, epochs=3, shuffle=False, verbose=0)
    assert largest_gap(plain, model.network) < 1e-5  # sums in another order


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop"])
def test_repeated_words_are_summed_before_an_optimizer_squares_them(optimizer: str) -> None:
    words, targets = tokens()
    dense = network(is_dense=True)
    dense.compile(optimizer, loss=LOSSES, loss_weights=WEIGHTS)
    model = weighed(optimizer=optimizer)
    for each in (dense, model):
        each.fit(words, targets, epochs=2, shuffle=False, verbose=0)
    assert largest_gap(dense, model.network) < 1e-5


def test_losses_of_an_uneven_last_batch_are_means_over_examples() -> None:
    words, targets = tokens()
    model = weighed()
    logs = model.evaluate(words, targets, batch_size=32, verbose=0, return_dict=True)
    outputs = model.predict(words, verbose=0)
    age = np.mean((outputs["age"][:, 0] - targets["age"]) ** 2)
    chosen = outputs["income"][np.arange(len(words)), targets["income"]]
    assert logs["age_loss"] == pytest.approx(age, rel=1e-5)
    assert logs["income_loss"] == pytest.approx(-np.log(chosen).mean(), rel=1e-5)
    total = sum(WEIGHTS[head] * logs[f"{head}_loss"] for head in WEIGHTS)
    assert logs["loss"] == pytest.approx(total, rel=1e-5)


@each_method
def test_weighted_losses_add_up_to_the_total(method: Weighting) -> None:
    words, targets = tokens()
    logs = weighed(method).fit(words, targets, epochs=3, verbose=0).history
    parts = np.sum([logs[f"{head}_weighted_loss"] for head in WEIGHTS], axis=0)
    np.testing.assert_allclose(parts, logs["loss"], rtol=1e-5)


@each_method
def test_an_example_without_labels_changes_nothing(method: Weighting) -> None:
    words, targets = tokens(64)
    more_words, more = tokens(64, seed=1)
    blank = {
        "age": np.full(64, np.nan, "float32"),
        "income": np.full(64, -1, "int32"),
        "gender": np.full(64, np.nan, "float32"),
    }
    mixed = {head: np.stack([targets[head], blank[head]], axis=1).ravel() for head in more}
    both = np.stack([words, more_words], axis=1).reshape(128, -1)
    model, other = weighed(method), weighed(method)
    one = model.fit(words, targets, batch_size=16, epochs=2, shuffle=False, verbose=0).history
    two = other.fit(both, mixed, batch_size=32, epochs=2, shuffle=False, verbose=0).history
    assert largest_gap(model.network, other.network) < 1e-5
    for name in one:
        np.testing.assert_allclose(one[name], two[name], rtol=1e-4, err_msg=name)


@each_method
def test_a_head_without_any_label_in_a_batch_contributes_nothing(method: Weighting) -> None:
    words, targets = tokens(32)
    targets["age"][:] = np.nan
    model = weighed(method)
    before = model.network.get_layer("age").get_weights()
    memory = {
        name: np.array(value) for name, value in model.weigher.memory.items() if name != "epoch"
    }
    logs = model.fit(words, targets, batch_size=32, epochs=1, verbose=0).history
    for one, other in zip(before, model.network.get_layer("age").get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert logs["age_weighted_loss"] == [0.0]
    for name, value in memory.items():
        assert np.array(model.weigher.memory[name])[0] == value[0], name


@each_method
def test_a_head_of_weight_zero_leaves_the_trunk_alone(method: Weighting) -> None:
    words, targets = tokens(64)
    wild = {**targets, "age": 1e6 * targets["age"]}
    models = []
    for given in (targets, wild):
        model = WeighedModel(network(), method)
        model.compile("sgd", loss=LOSSES, loss_weights={**WEIGHTS, "age": 0})
        logs = model.fit(words, given, epochs=2, shuffle=False, verbose=0).history
        assert logs["age_weight"] == [0.0, 0.0]
        assert all(np.isfinite(logs["age_loss"]))
        models.append(model.network.get_layer("trunk").get_weights()[0])
    np.testing.assert_array_equal(*models)


@each_method
def test_compiled_and_eager_steps_agree(method: Weighting) -> None:
    words, targets = tokens()
    models = [weighed(method), weighed(method, run_eagerly=True)]
    for model in models:
        model.fit(words, targets, epochs=1, shuffle=False, verbose=0)
    assert largest_gap(models[0].network, models[1].network) < 1e-5


def test_steps_per_execution_does_not_change_the_numbers() -> None:
    words, targets = tokens()
    models = [weighed(), weighed(steps_per_execution=2)]
    for model in models:
        model.fit(words, targets, epochs=2, shuffle=False, verbose=0)
    assert largest_gap(models[0].network, models[1].network) == 0


def test_changed_loss_weights_take_effect_without_a_retrace() -> None:
    words, targets = tokens(64)
    n_traces = []

    class Counted(Fixed):
        def weigh(self, signals: Any, memory: Any) -> Any:
            n_traces.append(1)
            return super().weigh(signals, memory)

    model = weighed(Counted())
    model.fit(words, targets, epochs=1, verbose=0)
    first = len(n_traces)
    model.loss_weights.assign({"age": 0.5})
    logs = model.fit(words, targets, epochs=1, verbose=0).history
    assert len(n_traces) == first
    assert logs["age_weight"] == [0.5]


def test_the_gramian_is_that_of_the_layers_that_heads_share_and_of_no_other() -> None:
    words, targets = tokens(8)
    seen = []

    class Seen(NashMTL):
        def weigh(self, signals: Any, memory: Any) -> Any:
            seen.append(np.array(signals.gramian))
            return super().weigh(signals, memory)

    model = weighed(Seen(), run_eagerly=True)
    shared = [
        variable
        for name in ("table", "trunk")
        for variable in model.network.get_layer(name).trainable_variables
    ]
    rows = []
    for head, loss in LOSSES.items():
        with tf.GradientTape() as tape:
            output = model.network(words)[head]
            value = tf.reduce_mean(keras.losses.get(loss)(targets[head][:, None], output))
        slopes = [tf.convert_to_tensor(each) for each in tape.gradient(value, shared)]
        rows.append(np.concatenate([np.ravel(each) for each in slopes]))
    model.fit(words, targets, batch_size=8, epochs=1, verbose=0)
    np.testing.assert_allclose(seen[0], np.array(rows) @ np.array(rows).T, rtol=1e-3)


def test_sparse_rows_have_the_products_and_sums_of_dense_ones() -> None:
    rng = np.random.default_rng(0)
    slices = [
        tf.IndexedSlices(
            tf.constant(rng.normal(size=(5, 3)), tf.float32),
            tf.constant(rng.integers(0, 6, 5), tf.int32),
            tf.constant([6, 3]),
        )
        for _ in range(3)
    ]
    sparse = rows_of([slices[0], None, slices[2]])
    dense = rows_of([tf.convert_to_tensor(slices[0]), None, tf.convert_to_tensor(slices[2])])
    np.testing.assert_allclose(sparse.gramian(), dense.gramian(), rtol=1e-6)
    weights = tf.constant([0.5, 7.0, 2.0])
    combined = tf.convert_to_tensor(sparse.combined(weights))
    np.testing.assert_allclose(combined, dense.combined(weights), rtol=1e-5)
    once = summed(slices[0])
    assert len(np.unique(once.indices)) == len(once.indices)
    np.testing.assert_allclose(
        tf.convert_to_tensor(once), tf.convert_to_tensor(slices[0]), rtol=1e-6
    )


def test_own_heads_see_their_loss_alone_and_weighted_heads_their_weight() -> None:
    words, targets = tokens(32)
    steps = {}
    for heads in ("own", "weighted"):
        model = WeighedModel(network(), NashMTL(), Balance(heads=heads))
        model.compile("sgd", loss=LOSSES)
        before = model.network.get_layer("income").get_weights()[1]
        logs = model.fit(words, targets, batch_size=32, epochs=1, verbose=0).history
        steps[heads] = before - model.network.get_layer("income").get_weights()[1]
        weight = logs["income_weight"][0]
    np.testing.assert_allclose(steps["weighted"], weight * steps["own"], rtol=1e-4)


def test_a_single_head_is_trained_as_if_there_were_no_method() -> None:
    words, targets = tokens(64)
    inner = network()
    models = []
    for method in (Fixed(), NashMTL()):
        alone = keras.Model(inner.input, inner.output["age"])
        alone = keras.models.clone_model(alone)
        keras.utils.set_random_seed(0)
        alone.set_weights([np.full_like(each, 0.1) for each in alone.get_weights()])
        model = WeighedModel(alone, method)
        model.compile("sgd", loss="mse")
        logs = model.fit(words, targets["age"], epochs=1, shuffle=False, verbose=0).history
        assert logs["age_weight"] == [1.0]
        models.append(model)
    assert largest_gap(models[0].network, models[1].network) == 0


def test_sum_to_k_scales_the_weights() -> None:
    words, targets = tokens(64)
    model = WeighedModel(network(), balance=Balance(normalise="sum_to_k"))
    model.compile("sgd", loss=LOSSES, loss_weights=WEIGHTS)
    logs = model.fit(words, targets, epochs=1, verbose=0).history
    assert sum(logs[f"{head}_weight"][0] for head in WEIGHTS) == pytest.approx(3, rel=1e-5)
    assert logs["gender_weight"][0] / logs["age_weight"][0] == pytest.approx(30, rel=1e-5)
