"""The examples' networks: exact to the parameter."""

import keras
import numpy as np
import pytest
from omegaconf import OmegaConf

from steelyard.construct import construct
from steelyard.data.source import KINDS_OF_INPUT, Input
from steelyard.models.network import Network
from steelyard.task import Task
from tests.models.networks import AGE, CONF, GENDER, HEADS, TASKS, TOWN, posts, text

IMAGE = Input(name="image", kind="image", shape=(256, 256, 3))
MALIGNANT = Task(name="malignant", kind="binary")
ANSWER = Task(name="answer", kind="multiclass", classes=tuple(f"word {n}" for n in range(500)))
DIGIT = Task(name="digit", kind="multiclass", classes=tuple("0123456789"))


def numbers(width: int) -> Input:
    return Input(name="numbers", kind="numeric", shape=(width,))


def test_the_three_head_example_has_its_parameters_and_no_more() -> None:
    model = posts().build([text(500, vocabulary=50_000)], TASKS)
    assert model.count_params() == 14_146_316
    widths = {name: output.shape[-1] for name, output in model.output.items()}
    assert widths == {"age": 1, "income": 10, "gender": 1}


@pytest.mark.parametrize(
    ("name", "inputs", "tasks", "n_parameters"),
    [
        (
            "question_answering",
            [
                Input(name="story", kind="text", shape=(90,), dtype="int32", vocabulary=10_000),
                Input(name="question", kind="text", shape=(9,), dtype="int32", vocabulary=10_000),
            ],
            [ANSWER],
            1_000_052,
        ),
        ("image_and_metadata", [IMAGE, numbers(10)], [MALIGNANT], 4_084_401),
        ("numbers_and_text", [numbers(3), text(100, vocabulary=10_000)], [GENDER], 673_409),
        ("shared_trunk", [numbers(10)], [GENDER, AGE], 2_850),
        ("separate_towers", [numbers(100)], [DIGIT, Task(name="box", kind="box")], 10_286),
    ],
)
def test_each_example_has_its_parameters_and_no_more(
    name: str, inputs: list[Input], tasks: list[Task], n_parameters: int
) -> None:
    network: Network = construct(OmegaConf.load(CONF / "model" / f"{name}.yaml"))
    assert network.build(inputs, tasks).count_params() == n_parameters


def test_auto_has_an_encoder_for_every_kind_of_input() -> None:
    network: Network = construct(OmegaConf.load(CONF / "model" / "auto.yaml"))
    small_image = Input(name="image", kind="image", shape=(28, 28, 1))
    inputs = [text(20), numbers(3), TOWN, small_image]
    assert {each.kind for each in inputs} == set(KINDS_OF_INPUT)
    labels = Task(name="labels", kind="multilabel", classes=("a", "b", "c"))
    model = network.build(inputs, [*TASKS, labels, Task(name="box", kind="box")])
    assert {name: output.shape[-1] for name, output in model.output.items()} == {
        "age": 1,
        "income": 10,
        "gender": 1,
        "labels": 3,
        "box": 4,
    }


def test_a_text_of_another_length_can_be_read() -> None:
    model = posts().build([text(300)], TASKS)
    assert model({"text": np.ones((2, 400), "int32")})["age"].shape == (2, 1)


def test_posts_of_269_words_are_the_shortest_that_its_layers_take() -> None:
    model = posts().build([text(269)], TASKS)
    words = np.zeros((2, 269), "int32")
    assert keras.ops.shape(model({"text": words})["age"]) == (2, 1)
    message = (
        "`text` must be padded to at least 269 words for this network's convolutions and pools, "
        "got 268."
    )
    with pytest.raises(ValueError, match=message):
        posts().build([text(268)], TASKS)
    with pytest.raises(ValueError, match=message):
        posts().check({"text": ("text", 268)}, HEADS)
