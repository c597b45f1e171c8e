"""The library's face, used as a Keras user would, and what it says to their mistakes."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import steelyard
from steelyard import NashMTL, Uncertainty, WeighedModel
from steelyard.weighting.base import Weighting
from tests.training.networks import LOSSES, WEIGHTS, network, tokens

METRICS = {"age": ["mae"], "income": ["accuracy"], "gender": ["AUC", "acc"]}


def compiled(method: Weighting | None = None, **changes: Any) -> WeighedModel:
    model = WeighedModel(network(dropout=0.2), weighting=method, diagnose_every=0)
    options = {"loss": LOSSES, "loss_weights": WEIGHTS, "metrics": METRICS, **changes}
    model.compile(optimizer="rmsprop", **options)
    return model


@pytest.mark.parametrize("method", [NashMTL(), Uncertainty()], ids=["nash", "uncertainty"])
def test_it_compiles_fits_stops_saves_and_loads_as_any_keras_model(
    method: Weighting, tmp_path: Path
) -> None:
    words, targets = tokens()
    model = WeighedModel(network(is_named=True), weighting=method)
    model.compile(optimizer="rmsprop", loss=LOSSES, loss_weights=WEIGHTS, metrics=METRICS)
    named = {"words": words}
    stop = keras.callbacks.EarlyStopping("val_loss", patience=1, restore_best_weights=True)
    logs = model.fit(
        named,
        targets,
        batch_size=32,
        epochs=4,
        validation_data=(named, targets),
        callbacks=[stop],
        verbose=0,
    ).history
    for name in ("loss", "age_loss", "age_mae", "gender_auc", "gender_acc", "income_accuracy"):
        assert name in logs
        assert f"val_{name}" in logs
    total = np.array([WEIGHTS[head] * np.array(logs[f"val_{head}_loss"]) for head in WEIGHTS])
    np.testing.assert_allclose(logs["val_loss"], total.sum(axis=0), rtol=1e-5)

    path = tmp_path / "model.keras"
    model.save(path)
    again = keras.models.load_model(path)
    before, after = model.predict(named, verbose=0), again.predict(named, verbose=0)
    for head in LOSSES:
        np.testing.assert_array_equal(before[head], after[head])
    assert again.weigher.weighting == method
    for each in (model, again):  # memory and optimizer go on where they were
        each.fit(named, targets, batch_size=32, epochs=1, shuffle=False, verbose=0)
    for one, other in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_inner_network_loads_in_plain_keras(tmp_path: Path) -> None:
    words, targets = tokens()
    model = compiled()
    model.fit(words, targets, epochs=1, verbose=0)
    model.network.save(tmp_path / "inner.keras")
    again = keras.models.load_model(tmp_path / "inner.keras")
    assert type(again).__module__.startswith("keras.")
    np.testing.assert_array_equal(
        model.predict(words, verbose=0)["age"], again.predict(words, verbose=0)["age"]
    )


def test_lists_and_dicts_say_the_same() -> None:
    words, targets = tokens()
    inner = network()
    outputs = [inner.output[head] for head in LOSSES]
    listed = WeighedModel(keras.Model(inner.input, outputs))
    listed.compile("sgd", loss=list(LOSSES.values()), loss_weights=list(WEIGHTS.values()))
    named = WeighedModel(network())
    named.compile("sgd", loss=LOSSES, loss_weights=WEIGHTS)
    one = listed.fit(words, [targets[head] for head in LOSSES], shuffle=False, verbose=0).history
    two = named.fit(words, targets, shuffle=False, verbose=0).history
    assert one["loss"] == two["loss"]


def test_evaluate_begins_with_the_total() -> None:
    words, targets = tokens()
    model = compiled()
    values = model.evaluate(words, targets, verbose=0)
    assert values[0] == model.evaluate(words, targets, verbose=0, return_dict=True)["loss"]


def test_sample_weights_count_examples() -> None:
    words, targets = tokens(64)
    model, other = compiled(), compiled()
    counts = np.zeros(64, "float32")
    counts[:32] = 1
    one = model.evaluate(words, targets, sample_weight=counts, verbose=0, return_dict=True)
    half = {head: values[:32] for head, values in targets.items()}
    two = other.evaluate(words[:32], half, verbose=0, return_dict=True)
    for name, value in two.items():
        assert one[name] == pytest.approx(value, rel=1e-5), name


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"loss": {**LOSSES, "agee": "mse"}}, r"got 'agee' \(did you mean 'age'\?\)"),
        ({"loss": {"age": "mse"}}, "`loss` must have an entry for the head 'income', got none"),
        ({"loss": "mse"}, "`loss` must be a dict or a list with an entry for each"),
        ({"loss": ["mse"]}, "one entry for each of the heads age, income, gender, got 1"),
        ({"loss_weights": {"Age": 1}}, "`loss_weights` must name the heads"),
        ({"loss_weights": {"age": -1}}, "`loss_weights.age` must be a finite number"),
        ({"loss_weights": {"age": float("inf")}}, "must be a finite number of at least 0, got inf"),
        ({"loss_weights": [0, 0, 0]}, "`loss_weights` must not all be 0"),
    ],
)
def test_compile_refuses_what_keras_would_misread(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        compiled(**changes)


N = 70


@pytest.mark.parametrize(
    ("head", "wrong", "message"),
    [
        ("gender", np.eye(2)[np.zeros(N, int)], "`gender` must have targets of 1 number"),
        ("gender", np.full(N, 2.0), r"`gender` must have labels in \[0, 1\], got 2"),
        ("income", np.full(N, 5), "`income` must have labels from 0 to 4"),
        ("income", np.full(N, -2), "`income` must have labels from 0 to 4"),
        ("income", np.eye(5)[np.zeros(N, int)], "use categorical_crossentropy"),
        ("age", np.zeros((N, 3)), "`age` must have targets of 1 number"),
    ],
)
def test_fit_refuses_targets_that_do_not_fit_a_head(
    head: str, wrong: np.ndarray, message: str
) -> None:
    words, targets = tokens(N)
    with pytest.raises(ValueError, match=message):
        compiled().fit(words, {**targets, head: wrong}, verbose=0)


def test_fit_refuses_one_dimensional_sequences() -> None:
    _, targets = tokens(N)
    with pytest.raises(ValueError, match=r"`words` must have shape \(None, 12\) .* got \(70,\)"):
        compiled().fit(np.zeros(N, "int32"), targets, verbose=0)


def test_fit_tells_of_a_label_that_is_the_same_everywhere() -> None:
    words, targets = tokens(N)
    message = "`gender` should have both labels, got 0 for every example"
    with pytest.warns(UserWarning, match=message):
        compiled().fit(words, {**targets, "gender": np.zeros(N)}, verbose=0)


def test_refuses_a_network_that_lacks_a_pooling_layer() -> None:
    words = keras.Input((12,), name="words")
    rows = keras.layers.Embedding(30, 4)(words)
    heads = {"age": keras.layers.Dense(1)(rows)}
    message = r"`age` must put out one vector an example, got shape \(None, 12, 1\); is a pooling"
    with pytest.raises(ValueError, match=message):
        WeighedModel(keras.Model(words, heads))


def test_one_hot_targets_and_integers_come_to_the_same_loss() -> None:
    words, targets = tokens(N)
    one_hot = {**targets, "income": np.eye(5, dtype="float32")[targets["income"]]}
    losses = {**LOSSES, "income": "categorical_crossentropy"}
    by_number = compiled().evaluate(words, targets, verbose=0, return_dict=True)
    by_row = compiled(loss=losses).evaluate(words, one_hot, verbose=0, return_dict=True)
    assert by_row["income_loss"] == pytest.approx(by_number["income_loss"], rel=1e-6)
    assert by_row["income_accuracy"] == pytest.approx(by_number["income_accuracy"])


def test_fit_refuses_an_unknown_head() -> None:
    words, targets = tokens(N)
    with pytest.raises(ValueError, match="did you mean 'gender'"):
        compiled().fit(words, {**targets, "gendre": targets["gender"]}, verbose=0)


def test_a_saved_file_can_name_no_class_from_elsewhere(tmp_path: Path) -> None:
    config = compiled().get_config()
    config["weighting"] = {"class": "os.system"}
    with pytest.raises(ValueError, match=r"a class of steelyard.weighting, got 'os.system'"):
        WeighedModel.from_config(config)


def test_the_package_shows_its_names_and_nothing_else() -> None:
    assert "WeighedModel" in dir(steelyard)
    assert "compile" in (WeighedModel.__doc__ or "")
    with pytest.raises(AttributeError, match="has no attribute 'Nash'"):
        _ = steelyard.Nash  # type: ignore[attr-defined]


def test_a_callback_can_change_the_loss_weights_while_it_trains() -> None:
    class Later(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.model.loss_weights.assign({"age": 1.0 / (epoch + 1)})

    words, targets = tokens()
    logs = compiled().fit(words, targets, epochs=3, verbose=0, callbacks=[Later()]).history
    np.testing.assert_allclose(logs["age_weight"], [1, 1 / 2, 1 / 3], rtol=1e-6)
