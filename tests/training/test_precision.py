"""The step under mixed precision, gradient accumulation and clipping."""

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import pytest

from steelyard.training.weighed_model import WeighedModel
from steelyard.weighting.base import Weighting
from steelyard.weighting.fixed import Fixed
from steelyard.weighting.nash_mtl import NashMTL
from tests.training.networks import LOSSES, WEIGHTS, network, tokens

EPOCHS = 3


@pytest.fixture(autouse=True)
def _own_policy() -> Iterator[None]:
    before = keras.mixed_precision.dtype_policy()
    yield
    keras.mixed_precision.set_dtype_policy(before)


def fitted(method: Weighting, optimizer: Any, policy: str = "float32") -> WeighedModel:
    keras.mixed_precision.set_dtype_policy(policy)
    words, targets = tokens(64)
    model = WeighedModel(network(), method, diagnose_every=0)
    model.compile(optimizer, loss=LOSSES, loss_weights=WEIGHTS)
    model.fit(words, targets, batch_size=16, epochs=EPOCHS, shuffle=False, verbose=0)
    return model


def gap(one: keras.Model, other: keras.Model) -> float:
    pairs = zip(one.get_weights(), other.get_weights(), strict=True)
    return max(float(np.abs(a - b).max()) for a, b in pairs)


@pytest.mark.parametrize("method", [Fixed(), NashMTL()], ids=["fixed", "nash"])
@pytest.mark.parametrize(
    ("policy", "least"),
    [("mixed_bfloat16", 0.1), ("mixed_float16", 0.5)],  # the latter leaves out its first steps
)
def test_mixed_precision_trains_nearly_as_float32_does(
    method: Weighting, policy: str, least: float
) -> None:
    exact = fitted(method, keras.optimizers.SGD(1e-3))
    mixed = fitted(method, keras.optimizers.SGD(1e-3), policy)
    start = network()
    moved = gap(exact.network, start)
    assert 0 < gap(exact.network, mixed.network) < least * moved


def plain(optimizer: Any) -> keras.Model:
    """Returns the same network with a dense table, trained by Keras itself."""
    words, targets = tokens(64)
    model = network(is_dense=True)
    model.compile(optimizer, loss=LOSSES, loss_weights=WEIGHTS)
    model.fit(words, targets, batch_size=16, epochs=EPOCHS, shuffle=False, verbose=0)
    return model


OPTIONS: list[dict[str, Any]] = [
    {"global_clipnorm": 0.1},
    {"clipnorm": 0.05},
    {"clipvalue": 0.01},
    {"gradient_accumulation_steps": 2},
]


@pytest.mark.parametrize("options", OPTIONS, ids=lambda each: next(iter(each)))
def test_clipped_and_accumulated_gradients_are_those_of_plain_keras(
    options: dict[str, Any],
) -> None:
    ours = fitted(Fixed(), keras.optimizers.Adam(0.01, **options))
    theirs = plain(keras.optimizers.Adam(0.01, **options))
    assert gap(ours.network, theirs) < 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("options", OPTIONS, ids=lambda each: next(iter(each)))
def test_a_method_that_takes_gradients_works_with_them(options: dict[str, Any]) -> None:
    model = fitted(NashMTL(), keras.optimizers.Adam(0.01, **options))
    assert all(np.isfinite(each).all() for each in model.network.get_weights())
    assert gap(model.network, network()) > 0
