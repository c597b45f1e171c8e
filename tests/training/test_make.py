"""What a make of model is: all that a step depends on, but for the values of variables."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import keras
import pytest

from steelyard import DWA, RLW, Balance, Fixed
from steelyard.data.noise import Noise, NoiseInput, NoiseTask
from steelyard.models.network import Network
from steelyard.models.numbers import Dense
from steelyard.training import course as of_course
from steelyard.training.pipeline import Parts, _make_of, carry_out
from steelyard.training.recipe import Recipe
from steelyard.training.runtime import Seeds

SOURCE = Noise(
    inputs_of={"numbers": NoiseInput(kind="numeric", shape=(4,))},
    tasks_of={
        "size": NoiseTask(kind="regression"),
        "colour": NoiseTask(kind="multiclass", n_classes=3),
    },
    n_train=32,
)
NETWORK = Network(encoders={"numeric": Dense(units=(4,))}, trunk=(4,))
RECIPE = Recipe(epochs=2, batch_size=8, diagnose_every=0)


def adam(**knobs: Any) -> Any:
    return keras.optimizers.Adam(**{"learning_rate": 0.01, **knobs})


def by_cosine() -> Any:
    return adam(learning_rate=keras.optimizers.schedules.CosineDecay(0.01, decay_steps=5))


def parts(optimizer: Callable[[], Any] = adam, **changed: Any) -> Parts:
    given: dict[str, Any] = {
        "source": SOURCE,
        "network": NETWORK,
        "weighting": Fixed(),
        "balance": Balance(),
        "recipe": RECIPE,
        "loss_weights": {"rule": "equal"},
        "seeds": Seeds().drawn_from(0),
    }
    return Parts(**{**given, **changed}, optimizer=optimizer())


OPTIMIZERS = {
    "learning_rate": 0.02,
    "beta_1": 0.8,
    "beta_2": 0.9,
    "epsilon": 1e-3,
    "amsgrad": True,
    "weight_decay": 0.1,
    "clipnorm": 1.0,
    "global_clipnorm": 1.0,
    "clipvalue": 1.0,
    "use_ema": True,
    "ema_momentum": 0.5,
    "ema_overwrite_frequency": 2,
    "loss_scale_factor": 2.0,
    "gradient_accumulation_steps": 2,
}
RECIPES = {
    "epochs": 3,
    "batch_size": 4,
    "schedule": "cosine",
    "precision": "mixed_bfloat16",
    "by_rows": False,
    "diagnose_every": 5,
}


def noise(**tasks: NoiseTask) -> Noise:
    return replace(SOURCE, tasks_of={**SOURCE.tasks_of, **tasks})


OTHERS: dict[str, dict[str, Any]] = {
    **{name: {"optimizer": partial(adam, **{name: value})} for name, value in OPTIMIZERS.items()},
    "kind of optimizer": {"optimizer": partial(keras.optimizers.RMSprop, 0.01)},
    "schedule of the optimizer": {"optimizer": by_cosine},
    **{name: {"recipe": replace(RECIPE, **{name: value})} for name, value in RECIPES.items()},
    "number of examples": {"source": replace(SOURCE, n_train=36)},
    "shape of an input": {
        "source": replace(SOURCE, inputs_of={"numbers": NoiseInput(kind="numeric", shape=(5,))})
    },
    "classes": {"source": noise(colour=NoiseTask(kind="multiclass", n_classes=4))},
    "kind of task": {"source": noise(size=NoiseTask(kind="binary"))},
    "loss": {"source": noise(size=NoiseTask(kind="regression", loss="mae"))},
    "width": {"network": replace(NETWORK, trunk=(5,))},
    "dropout": {"network": replace(NETWORK, dropout=0.1)},
    "activation": {"network": replace(NETWORK, activation="tanh")},
    "method": {"weighting": RLW()},
    "steps between askings": {"balance": Balance(update_every=2)},
    "balance": {"balance": Balance(memory_learning_rate=0.1)},
}


@pytest.mark.parametrize("changed", OTHERS.values(), ids=OTHERS)
def test_what_a_step_depends_on_makes_another_make(changed: dict[str, Any]) -> None:
    assert _make_of(parts(**changed)) != _make_of(parts())


def test_a_method_s_knobs_make_another_make() -> None:
    makes = {_make_of(parts(weighting=DWA(temperature=each))) for each in (1.0, 2.0)}
    assert len(makes) == 2


def test_what_is_in_variables_makes_no_other_make() -> None:
    for changed in (
        {"seeds": Seeds().drawn_from(1)},
        {"loss_weights": {"rule": "inverse_start", "size": 3}},
        {"source": replace(SOURCE, seed=1)},
        {"optimizer": adam},  # a second one, which Keras names otherwise
    ):
        assert _make_of(parts(**changed)) == _make_of(parts())


@pytest.mark.slow
def test_a_learning_rate_that_falls_is_each_run_s_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def trained(rate: float, folder: Path) -> list[dict[str, float]]:
        folder.mkdir(parents=True)
        recipe = replace(RECIPE, schedule="cosine")
        made = parts(optimizer=partial(keras.optimizers.SGD, rate), recipe=recipe)
        return carry_out(made, folder, 30.0, lambda *_: None).history

    rates = (0.1, 0.02)
    histories = [trained(rate, tmp_path / f"together_{rate}") for rate in rates]
    assert len({row[-1]["valid/size/loss"] for row in histories}) == len(rates)
    monkeypatch.setattr(of_course, "_courses", OrderedDict())
    assert trained(rates[-1], tmp_path / "alone") == histories[-1]
