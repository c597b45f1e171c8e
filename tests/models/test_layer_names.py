"""Names of layers: none is one that an input or a head can have, whatever Keras would call it."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from omegaconf import OmegaConf

from steelyard.construct import construct
from steelyard.data.source import Input
from steelyard.models.average import Average
from steelyard.models.encoder import MARK, Encoder, layer_name
from steelyard.models.images import Images
from steelyard.models.network import Network
from steelyard.models.numbers import Dense, Embedding
from steelyard.models.recurrent import Recurrent
from steelyard.task import NAME, Task
from tests.models.networks import BODY, CONF, TASKS, TOWN, small, text

IMAGE = Input(name="image", kind="image", shape=(12, 12, 1))
EVERY_LAYER: dict[str, Any] = {"trunk": (3, 3), "heads": {"age": (2, 2)}, "dropout": 0.1}
ENCODERS: list[dict[str, Encoder]] = [
    {
        "text": Recurrent(embedding=2, units=2, cell="gru", dropout=0.1),
        "image": Images(filters=(2, 2), pool=2, normalisation="layer", dropout=0.1),
    },
    {
        "text": Average(embedding=2, dropout=0.1),
        "image": Images(filters=(2,), end="average", normalisation="batch"),
    },
]


def names_of(model: keras.Model) -> list[str]:
    return [layer.name for layer in model.layers]


@pytest.mark.parametrize("encoders", ENCODERS)
@pytest.mark.parametrize("normalisation", ["layer", "batch"])
def test_only_inputs_and_heads_have_names_that_a_user_can_give(
    encoders: dict[str, Encoder], normalisation: str
) -> None:
    numbers: dict[str, Encoder] = {"numeric": Dense(units=(3, 3)), "category": Embedding(units=2)}
    network = Network(encoders={**encoders, **numbers}, normalisation=normalisation, **EVERY_LAYER)
    inputs = [text(9), BODY, TOWN, IMAGE]
    first, second = (names_of(network.build(inputs, TASKS)) for _ in range(2))
    given = {each.name for each in inputs} | {task.name for task in TASKS}
    assert {name for name in first if NAME.fullmatch(name)} == given
    assert first == second  # whatever the process has built before
    assert all(MARK in name for name in set(first) - given)


def test_convolutions_are_named_by_stage_and_place() -> None:
    network: Network = construct(OmegaConf.load(CONF / "model" / "posts.yaml"))
    names = names_of(network.build([text(269)], TASKS))
    assert [name for name in names if "convolution" in name] == [
        layer_name("text", "convolution", *place)
        for place in ((1, 1), (2, 1), (2, 2), (3, 1), (3, 2))
    ]


def test_heads_and_inputs_named_as_keras_names_layers_are_built_trained_and_saved(
    tmp_path: Path,
) -> None:
    inputs = [
        Input(name="embedding", kind="text", shape=(4,), dtype="int32", vocabulary=9),
        Input(name="dense_1", kind="numeric", shape=(3,)),
        Input(name="trunk", kind="numeric", shape=(2,)),
    ]
    heads = ("dense", "lstm", "dropout_1", "concatenate", "shared")
    encoders: dict[str, Encoder] = {"text": Recurrent(embedding=2, units=2), "numeric": Dense()}
    network = small(encoders=encoders, heads={"dense": (2,)})
    model = network.build(inputs, [Task(name=head) for head in heads])
    assert list(model.output) == list(heads)
    given: dict[str, Any] = {
        "embedding": np.ones((8, 4), "int32"),
        "dense_1": np.ones((8, 3)),
        "trunk": np.ones((8, 2)),
    }
    model.compile(optimizer="sgd", loss=dict.fromkeys(heads, "mse"))
    before = model.get_layer("dense").get_weights()[1]
    model.fit(given, dict.fromkeys(heads, np.full((8, 1), 5.0)), shuffle=False, verbose=0)
    assert (model.get_layer("dense").get_weights()[1] != before).all()
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert names_of(again) == names_of(model)
    told, repeated = (each.predict(given, verbose=0) for each in (model, again))
    for head in heads:
        np.testing.assert_array_equal(told[head], repeated[head])


@pytest.mark.parametrize("name", ["not_equal", "not_equal_2"])
def test_the_name_that_keras_gives_to_masks_of_texts_is_refused(name: str) -> None:
    message = f"must have other names than Keras's masks of texts, got '{name}'"
    with pytest.raises(ValueError, match=message):
        small().check({}, [name])
    with pytest.raises(ValueError, match=message):
        small().check({name: ("numeric", 0)}, ["age"])
    small().check({"body": ("numeric", 0)}, ["not_equal_pay"])
