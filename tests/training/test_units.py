"""A method that claims to be free of units trains the same network whatever one loss is told in."""

import numpy as np
import pytest

from steelyard.training.balance import Balance
from steelyard.training.heads import ScaledLoss
from steelyard.training.weighed_model import WeighedModel
from steelyard.weighting.base import Claim, Weighting
from steelyard.weighting.fixed import Fixed
from steelyard.weighting.nash_mtl import NashMTL
from tests.house.test_census import METHODS, default_of
from tests.training.networks import LOSSES, network, tokens

POWERS = (-20, -7, 13, 20)  # powers of two, so that the rounding does not grow
CLAIMING = [stem for stem in METHODS if Claim.SCALE_FREE in default_of(stem).claims]


def trunk(method: Weighting, power: int) -> np.ndarray:
    """Returns the shared layers after training with one loss times 2^power."""
    words, targets = tokens(64)
    model = WeighedModel(network(), method, Balance(heads="weighted"), diagnose_every=0)
    model.compile("rmsprop", loss={**LOSSES, "age": ScaledLoss("mse", 2.0**power)})
    model.fit(words, targets, batch_size=16, epochs=3, shuffle=False, verbose=0)
    layers = [model.network.get_layer(name) for name in ("table", "trunk")]
    return np.concatenate([np.ravel(each) for layer in layers for each in layer.get_weights()])


def missed(method: Weighting, power: int) -> float:
    """Returns how far the shared layers are moved by the unit, in units of their own size."""
    plain = trunk(method, 0)
    return float(np.linalg.norm(trunk(method, power) - plain) / np.linalg.norm(plain))


@pytest.mark.slow
@pytest.mark.parametrize("stem", CLAIMING)
@pytest.mark.parametrize("power", POWERS)
def test_a_loss_in_another_unit_trains_the_same_shared_layers(stem: str, power: int) -> None:
    assert missed(default_of(stem), power) < 1e-4


def test_exact_bargaining_trains_the_same_shared_layers() -> None:
    assert missed(NashMTL(), 20) < 1e-4


def test_fixed_weights_do_not() -> None:
    assert missed(Fixed(), 20) > 1e-3
