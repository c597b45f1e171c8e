"""The builder: merge, trunk and heads, against networks small enough to count."""

from typing import Any

import keras
import numpy as np
import pytest

from steelyard.models.encoder import Encoder
from steelyard.models.numbers import Dense, Embedding
from tests.models.networks import BODY, HEADS, NUMBERS, TASKS, TOWN, small, text


def shapes_of(model: keras.Model) -> set[tuple[int, ...]]:
    """Returns the shapes of a model's matrices."""
    return {tuple(weight.shape) for weight in model.weights if len(weight.shape) > 1}


def answer(model: keras.Model, n: int = 4) -> dict[str, np.ndarray]:
    """Returns a model's outputs for random people."""
    rng = np.random.default_rng(0)
    body = rng.normal(size=(n, 3)).astype("float32")
    town = rng.integers(7, size=(n, 1)).astype("int32")
    given = {"body": body, "town": town}
    outputs = model({each.name: given[each.name] for each in model.inputs})
    return {name: keras.ops.convert_to_numpy(output) for name, output in outputs.items()}


def test_normalised_layers_have_a_scale_and_a_shift_each() -> None:
    plain = small().build([BODY], TASKS).count_params()
    assert small(normalisation="layer").build([BODY], TASKS).count_params() == plain + 2 * 5
    assert small(normalisation="batch").build([BODY], TASKS).count_params() == plain + 4 * 5


def test_concatenated_inputs_stand_side_by_side() -> None:
    model = small().build([BODY, TOWN], TASKS)
    assert shapes_of(model) == {(7, 2), (3 + 2, 5), (5, 1), (5, 10)}


def test_added_inputs_are_one() -> None:
    encoders: dict[str, Encoder] = {"numeric": Dense(units=(4,)), "category": Embedding(units=4)}
    model = small(encoders=encoders, merge="add").build([BODY, TOWN], TASKS)
    assert shapes_of(model) == {(3, 4), (7, 4), (4, 5), (5, 1), (5, 10)}


def test_refuses_to_add_unequal_widths() -> None:
    message = "`merge` must be concatenate for inputs of unequal widths, got add of 3 and 2"
    with pytest.raises(ValueError, match=message):
        small(merge="add").build([BODY, TOWN], TASKS)
    encoders: dict[str, Encoder] = {"numeric": Dense(units=(4,)), "category": Embedding(units=2)}
    network = small(merge="add", encoders=encoders)
    with pytest.raises(ValueError, match="got add of 4 and 2"):  # before anything is built
        network.check({"body": ("numeric", 0), "town": ("category", 0)}, HEADS)


def test_a_single_input_needs_no_merge() -> None:
    for merge in ("add", "concatenate"):
        assert (3, 5) in shapes_of(small(merge=merge).build([BODY], TASKS))


def test_an_encoder_by_name_goes_before_one_by_kind() -> None:
    encoders: dict[str, Encoder] = {**NUMBERS, "body": Dense(units=(6, 8))}
    model = small(encoders=encoders).build([BODY, TOWN], TASKS)
    assert {(3, 6), (6, 8), (8 + 2, 5)} < shapes_of(model)


def test_private_layers_belong_to_their_head_alone() -> None:
    model = small(heads={"income": (6, 4)}).build([BODY], TASKS)
    assert shapes_of(model) == {(3, 5), (5, 1), (5, 6), (6, 4), (4, 10)}
    before = answer(model)
    kernel = next(each for each in model.weights if tuple(each.shape) == (6, 4))
    kernel.assign(kernel + 1.0)
    after = answer(model)
    assert (before["income"] != after["income"]).any()
    for head in ("age", "gender"):
        np.testing.assert_array_equal(before[head], after[head])


def test_without_a_trunk_heads_share_no_layer_but_the_encoders() -> None:
    assert shapes_of(small(trunk=()).build([BODY], TASKS)) == {(3, 1), (3, 10)}


def test_outputs_are_named_for_their_tasks_in_order() -> None:
    model = small().build([BODY, TOWN], TASKS)
    outputs = answer(model)
    assert list(outputs) == list(model.output) == HEADS
    widths = {name: output.shape for name, output in outputs.items()}
    assert widths == {"age": (4, 1), "income": (4, 10), "gender": (4, 1)}


def test_each_kind_of_head_has_its_activation() -> None:
    model = small().build([BODY, TOWN], TASKS)
    for head, bias in (("age", -1e3), ("gender", -3.0)):
        model.get_layer(head).bias.assign([bias])
    outputs = answer(model)
    assert (outputs["age"] < -900).all()
    assert ((outputs["gender"] > 0) & (outputs["gender"] < 1)).all()
    assert (outputs["income"] > 0).all()
    np.testing.assert_allclose(outputs["income"].sum(axis=1), 1, rtol=1e-5)


def test_dropout_works_in_training_alone() -> None:
    model = small(dropout=0.5).build([BODY], TASKS)
    body = {"body": np.ones((64, 3), "float32")}
    calm, wild = (model(body, training=is_training)["age"] for is_training in (False, True))
    assert np.ptp(np.asarray(calm)) == 0
    assert np.ptp(np.asarray(wild)) > 0


def test_refuses_an_input_that_no_encoder_is_for() -> None:
    message = (
        "`model.encoders` must have an encoder for the input 'text' or for its kind, text, "
        "got numeric, category"
    )
    with pytest.raises(ValueError, match=message):
        small().build([BODY, text(10)], TASKS)
    with pytest.raises(ValueError, match=message):
        small().check({"text": ("text", 10)}, HEADS)


def test_refuses_private_layers_of_no_head() -> None:
    message = r"`model.heads` must name heads \(age, income, gender\), got 'gendre'"
    network = small(heads={"gendre": (4,)})
    with pytest.raises(ValueError, match=message):
        network.build([BODY], TASKS)
    with pytest.raises(ValueError, match=message):
        network.check({}, HEADS)


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"merge": "multiply"}, "`merge` must be one of concatenate, add, got 'multiply'"),
        ({"trunk": (8, 0)}, r"`trunk` must hold positive widths, got \[8, 0\]"),
        ({"dropout": 1.0}, r"`dropout` must be in \[0, 1\), got 1.0"),
        ({"normalisation": "group"}, "`normalisation` must be one of none, layer, batch, got 'gr"),
    ],
)
def test_refuses_a_network_that_cannot_be_built(knobs: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        small(**knobs)
