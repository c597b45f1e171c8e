"""What a method remembers outlives a file."""

from pathlib import Path

import keras
import numpy as np
import pytest

from steelyard import (
    FAMO,
    RLW,
    Balance,
    ExcessMTL,
    GradNorm,
    NashMTL,
    Smoothed,
    WarmUp,
    WeighedModel,
)
from steelyard.weighting.base import Weighting
from tests.training.networks import LOSSES, WEIGHTS, network, tokens

STATEFUL: list[tuple[Weighting, Balance]] = [
    (Smoothed(method=FAMO()), Balance()),
    (RLW(), Balance(normalise="sum_to_k")),
    (ExcessMTL(), Balance()),
    (WarmUp(method=GradNorm()), Balance(on="representation", rows="ema_l2")),
    (NashMTL(), Balance(on="last_shared", update_every=3)),
]


CASES = [
    pytest.param(*case, id=type(case[0]).__name__, marks=[pytest.mark.slow] * (n % 2))
    for n, case in enumerate(STATEFUL)
]


@pytest.mark.parametrize(("method", "balance"), CASES)
def test_what_a_method_remembers_is_saved_and_goes_on_bit_equal(
    method: Weighting, balance: Balance, tmp_path: Path
) -> None:
    words, targets = tokens()
    model = WeighedModel(network(), method, balance, seed=3, diagnose_every=0)
    model.compile("rmsprop", loss=LOSSES, loss_weights=WEIGHTS)
    model.fit(words, targets, batch_size=32, epochs=2, shuffle=False, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert again.weigher.weighting == method
    assert again.weigher.balance == balance
    for each in (model, again):
        each.fit(words, targets, batch_size=32, epochs=3, initial_epoch=2, shuffle=False, verbose=0)
    for one, other in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
