"""The builder against the example it is exact to, and against networks small enough to count."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from omegaconf import OmegaConf

from steelyard.construct import construct
from steelyard.data.source import KINDS_OF_INPUT, Input
from steelyard.models.average import Average
from steelyard.models.convolutions import Convolutions
from steelyard.models.encoder import Encoder
from steelyard.models.images import Images
from steelyard.models.network import Network
from steelyard.models.numbers import Dense, Embedding
from steelyard.models.recurrent import Recurrent
from steelyard.task import Task

CONF = Path(__file__).parents[2] / "conf"
AGE = Task(name="age", unit="years")
INCOME = Task(name="income", kind="multiclass", classes=tuple(f"bracket {n}" for n in range(10)))
GENDER = Task(name="gender", kind="binary", classes=("female", "male"))
TASKS = (AGE, INCOME, GENDER)
HEADS = [task.name for task in TASKS]
BODY = Input(name="body", kind="numeric", shape=(3,))
TOWN = Input(name="town", kind="category", shape=(1,), dtype="int32", vocabulary=7)
NUMBERS: dict[str, Encoder] = {"numeric": Dense(units=()), "category": Embedding(units=2)}


def text(length: int, vocabulary: int = 100) -> Input:
    return Input(name="text", kind="text", shape=(length,), dtype="int32", vocabulary=vocabulary)


def posts() -> Network:
    network: Network = construct(OmegaConf.load(CONF / "model" / "posts.yaml"))
    return network


def small(**knobs: Any) -> Network:
    return Network(**{"encoders": NUMBERS, "trunk": (5,), **knobs})


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


def test_the_three_head_example_has_its_parameters_and_no_more() -> None:
    model = posts().build([text(500, vocabulary=50_000)], TASKS)
    assert model.count_params() == 14_146_316
    widths = {name: output.shape[-1] for name, output in model.output.items()}
    assert widths == {"age": 1, "income": 10, "gender": 1}


IMAGE = Input(name="image", kind="image", shape=(256, 256, 3))
MALIGNANT = Task(name="malignant", kind="binary")
ANSWER = Task(name="answer", kind="multiclass", classes=tuple(f"word {n}" for n in range(500)))
DIGIT = Task(name="digit", kind="multiclass", classes=tuple("0123456789"))


def numbers(width: int) -> Input:
    return Input(name="numbers", kind="numeric", shape=(width,))


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


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_a_recurrent_layer_reads_to_the_last_word_and_no_further(cell: str) -> None:
    network = small(encoders={"text": Recurrent(embedding=3, units=4, cell=cell)})
    model = network.build([text(9)], TASKS)
    short = np.array([[5, 7, 2]], "int32")
    padded = np.pad(short, ((0, 0), (0, 6)))
    other = np.array([[5, 7, 3]], "int32")
    first, same, differs = (
        np.asarray(model({"text": each})["income"]) for each in (short, padded, other)
    )
    np.testing.assert_allclose(first, same, rtol=1e-5)
    assert np.abs(first - differs).max() > 1e-6


def test_the_mean_of_words_knows_no_order_and_no_padding() -> None:
    model = small(encoders={"text": Average(embedding=3)}).build([text(9)], TASKS)
    told = [[5, 7, 2], [2, 5, 7], [5, 7, 2, 0, 0]]
    one, turned, padded = (np.asarray(model({"text": np.array([each])})["income"]) for each in told)
    np.testing.assert_allclose(one, turned, rtol=1e-5)
    np.testing.assert_allclose(one, padded, rtol=1e-5)


def test_normalised_layers_have_a_scale_and_a_shift_each() -> None:
    plain = small().build([BODY], TASKS).count_params()
    assert small(normalisation="layer").build([BODY], TASKS).count_params() == plain + 2 * 5
    assert small(normalisation="batch").build([BODY], TASKS).count_params() == plain + 4 * 5


def test_refuses_an_image_too_small_for_its_pools() -> None:
    network = small(encoders={"image": Images(filters=(4, 4, 4), pool=2)})
    network.check({"image": ("image", 22)}, HEADS)  # 22 -> 10 -> 4 -> 1
    with pytest.raises(ValueError, match="`image` must have more pixels on a side for 3 conv"):
        network.check({"image": ("image", 21)}, HEADS)


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


@pytest.mark.parametrize(
    ("stages", "kernel", "pool"), [(((4,),), 5, 5), (((4,), (4, 4)), 3, 2), (((4,),) * 3, 4, 3)]
)
def test_the_shortest_text_leaves_one_position_before_the_last_pool(
    stages: tuple[tuple[int, ...], ...], kernel: int, pool: int
) -> None:
    encoder = Convolutions(embedding=2, stages=stages, kernel=kernel, pool=pool)
    network = Network(encoders={"text": encoder})
    model = network.build([text(encoder.shortest)], TASKS)
    convolutions = [each for each in model.layers if isinstance(each, keras.layers.Conv1D)]
    last = keras.Model(model.inputs, convolutions[-1].output)
    assert last({"text": np.zeros((1, encoder.shortest), "int32")}).shape[1] == 1


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


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"embedding": 0}, "`embedding` must be at least 1, got 0"),
        ({"kernel": 0}, "`kernel` must be at least 1, got 0"),
        ({"pool": -2}, "`pool` must be at least 1, got -2"),
        ({"stages": ()}, "`stages` must hold lists of at least one positive width, got"),
        ({"stages": ((8,), ())}, "`stages` must hold lists of at least one positive width, got"),
        ({"stages": ((8, 0),)}, "`stages` must hold lists of at least one positive width, got"),
        ({"dropout": -0.1}, r"`dropout` must be in \[0, 1\), got -0.1"),
    ],
)
def test_refuses_convolutions_that_cannot_be_built(knobs: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Convolutions(**knobs)
