"""What Keras users do with a model beside one plain fit: each works, or says what it wants."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from steelyard import FAMO, Balance, Fixed, NashMTL, WarmUp, WeighedModel
from steelyard.training.sharing import crossings
from tests.training.networks import LOSSES, WEIGHTS, network, tokens
from tests.training.test_balance import Weights

LAYERS = keras.layers


def compiled(model: WeighedModel, optimizer: Any = "sgd", **options: Any) -> WeighedModel:
    model.compile(optimizer, loss=LOSSES, **options)
    return model


@pytest.mark.parametrize("first", [True, False], ids=["thawed later", "frozen later"])
def test_layers_can_be_frozen_and_thawed_between_fits(first: bool) -> None:
    words, targets = tokens(32)
    inner = network()
    model = compiled(WeighedModel(inner, NashMTL()))
    for is_trained in (first, not first):
        inner.get_layer("table").trainable = is_trained
        compiled(model)
        before = [np.array(each) for each in inner.get_weights()]
        model.fit(words, targets, batch_size=16, shuffle=False, verbose=0)
        pairs = zip(before, inner.get_weights(), strict=True)
        moved = [np.abs(one - other).max() > 0 for one, other in pairs]
        assert moved == [is_trained] + [True] * (len(moved) - 1)


def test_a_head_without_labels_for_a_step_keeps_its_held_weight() -> None:
    words, targets = tokens(64)
    targets["age"][16:32] = np.nan  # the second of four steps
    model = compiled(WeighedModel(network(), NashMTL(), Balance(update_every=4)))
    noted = Weights()
    model.fit(words, targets, batch_size=16, shuffle=False, verbose=0, callbacks=[noted])
    ages = [each[0] for each in noted.seen]
    assert ages[0] > 0
    assert ages == [ages[0]] * 4


def test_a_head_out_of_training_overflows_nothing() -> None:
    before = keras.mixed_precision.dtype_policy()
    keras.mixed_precision.set_dtype_policy("mixed_float16")
    try:
        words, targets = tokens(64)
        inner = network()
        start = inner.get_layer("trunk").get_weights()[0]
        model = WeighedModel(inner, NashMTL())
        model.compile("sgd", loss=LOSSES, loss_weights={**WEIGHTS, "age": 0})
        wild = {**targets, "age": 1e5 * targets["age"]}
        model.fit(words, wild, batch_size=16, epochs=5, verbose=0)
        assert np.abs(inner.get_layer("trunk").get_weights()[0] - start).max() > 0
    finally:
        keras.mixed_precision.set_dtype_policy(before)


def test_the_diagnosis_outlives_the_validation_of_an_epoch() -> None:
    words, targets = tokens(32)
    model = compiled(WeighedModel(network()))
    model.fit(words, targets, validation_data=(words, targets), verbose=0)
    assert model.diagnosis.told()["age/gradient_norm"] > 0


def with_noise() -> keras.Model:
    keras.utils.set_random_seed(0)
    words = keras.Input((12,), dtype="int32", name="words")
    hidden = LAYERS.Flatten()(LAYERS.Embedding(30, 4)(words))
    hidden = LAYERS.Dropout(0.5)(LAYERS.BatchNormalization()(hidden))
    heads = {"age": (1, None), "income": (5, "softmax"), "gender": (1, "sigmoid")}
    outputs = {head: LAYERS.Dense(n, act, name=head)(hidden) for head, (n, act) in heads.items()}
    return keras.Model(words, outputs)


def test_famo_compares_losses_under_the_same_draws() -> None:
    words, targets = tokens(64)
    models = []
    for method in (FAMO(), Fixed()):
        model = WeighedModel(with_noise(), method, diagnose_every=0)
        model.compile(keras.optimizers.SGD(0.0), loss=LOSSES)
        model.fit(words, targets, batch_size=16, epochs=3, shuffle=False, verbose=0)
        models.append(model)
    # Nothing was trained, so no loss fell, and there is nothing to learn; what a pass moves
    # (means of the normalisation, seeds of the dropout) was moved once a step.
    np.testing.assert_allclose(models[0].weigher.memory["logits"], 0, atol=1e-6)
    both = zip(models[0].network.variables, models[1].network.variables, strict=True)
    for one, other in both:
        np.testing.assert_array_equal(one, other)


def test_epochs_are_counted_on_from_one_fit_to_the_next() -> None:
    words, targets = tokens(32)
    model = compiled(WeighedModel(network(), WarmUp(method=NashMTL(), n_epochs=2)))
    seen = [model.fit(words, targets, verbose=0).history["age_weight"][0] for _ in range(4)]
    assert seen[:2] == [1.0, 1.0]
    assert 1.0 not in seen[2:]


def test_a_layer_that_only_a_penalty_reaches_shifts_no_gradient() -> None:
    words, targets = tokens(64)
    weights = []
    for every in (1, 2):
        keras.utils.set_random_seed(0)
        inner = network()
        lost = LAYERS.Dense(2, use_bias=False, kernel_regularizer="l2", name="lost")(
            inner.get_layer("trunk").output
        )
        stopped = keras.ops.stop_gradient(keras.ops.sum(lost, axis=1, keepdims=True))
        outputs = {**inner.output, "gender": inner.output["gender"] + 0.0 * stopped}
        model = WeighedModel(
            keras.Model(inner.input, outputs), NashMTL(), Balance(update_every=every)
        )
        compiled(model).fit(words[:16], {k: v[:16] for k, v in targets.items()}, verbose=0)
        weights.append(model.network.get_weights())
    for one, other in zip(*weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)


def test_weights_of_an_earlier_compilation_are_gone() -> None:
    model = compiled(WeighedModel(network()), loss_weights={"age": 0.1})
    compiled(model)
    assert set(model.loss_weights.as_dict().values()) == {1.0}


def test_what_is_misspelt_in_a_dataset_is_told() -> None:
    words, targets = tokens(32)
    model = compiled(WeighedModel(network()))
    weights = {"agee": np.ones(32, "float32")}
    data = tf.data.Dataset.from_tensor_slices((words, targets, weights)).batch(16)
    with pytest.raises(ValueError, match=r"`sample_weight` must name the heads .* got 'agee'"):
        model.fit(data, shuffle=False, verbose=0)
    few = {"age": targets["age"]}
    data = tf.data.Dataset.from_tensor_slices((words, few)).batch(16)
    with pytest.raises(ValueError, match="`targets` must have an entry for the head 'income'"):
        model.fit(data, shuffle=False, verbose=0)


def test_fit_before_compile_says_so() -> None:
    words, targets = tokens(32)
    with pytest.raises(ValueError, match="You must call `compile"):
        WeighedModel(network()).fit(words, targets, verbose=0)


def test_metrics_that_would_be_ignored_are_refused() -> None:
    with pytest.raises(ValueError, match="`weighted_metrics` must be given as `metrics`"):
        compiled(WeighedModel(network()), weighted_metrics={"age": ["mae"]})


def test_a_crossing_behind_another_is_none() -> None:
    inputs = keras.Input((4,))
    first = LAYERS.Dense(3, name="first")(inputs)
    second = LAYERS.Dense(3, name="second")(first)
    outputs = {"a": second, "b": second, "c": first}
    heads = {head: LAYERS.Dense(1, name=head)(given) for head, given in outputs.items()}
    (found,) = crossings(keras.Model(inputs, heads), tuple(heads))
    assert found is first


@pytest.mark.parametrize("cell", ["LSTM", pytest.param("GRU", marks=pytest.mark.slow)])
def test_recurrent_layers_and_penalties_train_as_in_plain_keras(cell: str) -> None:
    words, targets = tokens(32)

    def inner() -> keras.Model:
        keras.utils.set_random_seed(0)
        given = keras.Input((12,), dtype="int32", name="words")
        embedded = LAYERS.Embedding(30, 4, mask_zero=True)(given)
        read = getattr(LAYERS, cell)(5, kernel_regularizer="l2")(embedded)
        return keras.Model(given, {head: LAYERS.Dense(1, name=head)(read) for head in ("a", "b")})

    wanted = {"a": targets["age"], "b": targets["gender"]}
    plain = inner()
    plain.compile("sgd", loss={"a": "mse", "b": "mse"})
    model = WeighedModel(inner(), diagnose_every=1)
    model.compile("sgd", loss={"a": "mse", "b": "mse"})
    for each in (plain, model):
        each.fit(words, wanted, batch_size=16, shuffle=False, verbose=0)
    for one, other in zip(plain.get_weights(), model.network.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
