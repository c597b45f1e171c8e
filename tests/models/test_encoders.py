"""The encoders: what they read of an input, and what is too small for them."""

from typing import Any

import keras
import numpy as np
import pytest

from steelyard.models.average import Average
from steelyard.models.convolutions import Convolutions
from steelyard.models.images import Images
from steelyard.models.network import Network
from steelyard.models.recurrent import Recurrent
from tests.models.networks import (
    HEADS,
    TASKS,
    small,
    text,
)


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


def test_refuses_an_image_too_small_for_its_pools() -> None:
    network = small(encoders={"image": Images(filters=(4, 4, 4), pool=2)})
    network.check({"image": ("image", 22)}, HEADS)  # 22 -> 10 -> 4 -> 1
    with pytest.raises(ValueError, match="`image` must have more pixels on a side for 3 conv"):
        network.check({"image": ("image", 21)}, HEADS)


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
