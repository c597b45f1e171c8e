"""What a probe measures, on tasks whose scale and noise are known because they were set."""

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import keras
import pytest

from steelyard.data.dials import Dials
from steelyard.models.network import Network
from steelyard.models.numbers import Dense
from steelyard.task import Task
from steelyard.training.balance import Balance
from steelyard.training.pipeline import Parts
from steelyard.training.probe import corrected, measure, weights_of
from steelyard.training.recipe import Recipe
from steelyard.training.runtime import Seeds
from steelyard.weighting.fixed import Fixed
from steelyard.weighting.nash_mtl import NashMTL

SMALL = {"n_train": 512}


@dataclass(frozen=True, kw_only=True)
class Rescaled(Dials):
    """Dials whose second loss is multiplied by a number."""

    factor: float = 1.0

    @property
    def tasks(self) -> tuple[Task, ...]:
        first, second = super().tasks
        return first, replace(second, loss_scale=self.factor)


def parts(source: Dials, **changes: Any) -> Parts:
    """Returns what a small run on a source is made of."""
    given = {
        "network": Network(encoders={"numeric": Dense(units=(16,))}, trunk=(16,)),
        "weighting": Fixed(),
        "balance": Balance(),
        "optimizer": keras.optimizers.Adam(0.01),
        "recipe": Recipe(epochs=3, batch_size=32),
        "loss_weights": {"rule": "equal"},
        "seeds": Seeds().drawn_from(0),
        **changes,
    }
    return Parts(source=source, **given)


def probed(source: Dials, n_steps: int = 30, **changes: Any) -> dict[str, Any]:
    """Returns what a short probe finds."""
    return measure(parts(source, **changes), n_steps, lambda *told: None)


def weight(found: dict[str, Any]) -> float:
    """Returns the weight of the second head over that of the first."""
    heads = found["heads"]
    return float(heads["task_1"]["weight"] / heads["task_0"]["weight"])


def test_a_head_weighs_one_over_its_gradient_and_the_one_nearest_to_one_weighs_one() -> None:
    found = weights_of({"age": 250.0, "income": 1.25, "gender": 0.5})
    assert found == {"age": 0.005, "income": 1.0, "gender": 2.5}


def test_a_head_without_a_gradient_weighs_one() -> None:
    assert weights_of({"age": 10.0, "lonely": 0.0, "lost": float("nan")}) == {
        "age": 1.0,
        "lonely": 1.0,
        "lost": 1.0,
    }


def test_a_head_that_others_hold_back_gains_on_those_they_do_not() -> None:
    weights, alone = {"age": 0.002, "income": 1.0, "gender": 1.4}, {"age": 20.0, "income": 1.0}
    together = {"age": 30.0, "income": 2.0, "gender": 0.4}
    found = corrected(weights, {**alone, "gender": 0.4}, together)
    assert found == {"age": 0.0015, "income": 1.0, "gender": 0.7}


def test_a_correction_is_at_most_threefold_and_needs_a_loss_alone() -> None:
    weights = {"lost": 1.0, "slow": 0.1, "wild": 0.1, "done": 0.1}
    alone = {"lost": 1.0, "slow": 0.1, "wild": 1.0, "done": 0.0}
    together = {"lost": 1.0, "slow": 9.0, "wild": float("nan"), "done": 1.0}
    assert corrected(weights, alone, together) == {
        "lost": 1.0,
        "slow": 0.3,
        "wild": 0.1,
        "done": 0.1,
    }


@pytest.mark.slow  # each loss and each optimizer is traced anew
@pytest.mark.parametrize("factor", [2.0**-12, 2.0**12])
@pytest.mark.parametrize("optimizer", [keras.optimizers.Adam, keras.optimizers.SGD])
def test_a_loss_times_c_gives_a_weight_over_c(factor: float, optimizer: Any) -> None:
    plain, scaled = (
        probed(Rescaled(**SMALL, factor=each), optimizer=optimizer(0.01))["heads"]["task_1"]
        for each in (1.0, factor)
    )
    assert scaled["norm"] == pytest.approx(factor * plain["norm"], rel=1e-4)
    assert scaled["alone_loss"] == pytest.approx(factor * plain["alone_loss"], rel=1e-4)


@cache
def plain() -> dict[str, Any]:
    """Returns what a probe finds on two even tasks."""
    return probed(Dials(**SMALL))


def test_even_tasks_get_even_weights() -> None:
    assert 0.5 < weight(plain()) < 2


def test_larger_targets_get_a_smaller_weight() -> None:
    assert weight(probed(Dials(**SMALL, scale=(1.0, 100.0)))) < 0.02


def test_a_noisy_task_s_gradient_is_told_to_be_noise() -> None:
    heads = probed(Dials(**SMALL, noise=(0.0, 10.0)), 48)["heads"]
    assert heads["task_1"]["noise_share"] > 0.9
    assert heads["task_0"]["noise_share"] < heads["task_1"]["noise_share"] - 0.2


def test_the_same_probe_finds_the_same_numbers() -> None:
    assert probed(Dials(**SMALL)) == plain()


def test_the_weighting_and_the_loss_weights_change_nothing_that_is_measured() -> None:
    other = probed(
        Dials(**SMALL), weighting=NashMTL(), loss_weights={"rule": "equal", "task_0": 7.0}
    )
    assert other["heads"]["task_1"] == plain()["heads"]["task_1"]
    assert other["heads"]["task_0"] == {**plain()["heads"]["task_0"], "given": 7.0}


def test_a_probe_takes_no_more_steps_than_the_run_would() -> None:
    assert probed(Dials(**SMALL), 1000)["steps"] == 3 * 512 / 32


@pytest.mark.slow
def test_a_head_that_does_not_come_down_is_told() -> None:
    source = Dials(**SMALL, scale=(1.0, 100.0))
    heads = probed(source, optimizer=keras.optimizers.SGD(30.0))["heads"]
    assert not heads["task_1"]["is_stable"]
    assert heads["task_1"]["weight"] > 0


@pytest.mark.slow
def test_a_head_that_is_left_out_keeps_its_zero() -> None:
    found = probed(
        Dials(scale=(1.0,) * 3, noise=(0.0,) * 3, labelled=(1.0,) * 3, n_train=512),
        loss_weights={"rule": "equal", "task_1": 0.0},
    )
    assert found["heads"]["task_1"]["weight"] == 0
    assert list(found["pairs"]) == ["task_0 and task_2"]


def test_one_head_has_nothing_to_be_weighed_against() -> None:
    found = probed(Dials(scale=(5.0,), noise=(0.0,), labelled=(1.0,), n_train=512))
    assert found["pairs"] == {}
    assert found["heads"]["task_0"]["weight"] == 1


def test_missing_labels_leave_every_number_finite() -> None:
    found = probed(Dials(**SMALL, labelled=(1.0, 0.05)))
    assert found["heads"]["task_1"]["norm"] > 0
    assert found["heads"]["task_1"]["weight"] > 0


def test_every_step_is_reported() -> None:
    seen: list[tuple[str, int, int]] = []
    measure(parts(Dials(**SMALL)), 25, lambda *told: seen.append(told))
    assert seen[0] == ("first step", 1, 1)
    phases = ["first step", "task_0 alone", "task_1 alone", "together, 1 of 2", "together, 2 of 2"]
    assert list(dict.fromkeys(what for what, _, _ in seen)) == phases
    assert seen[-4:] == [("together, 2 of 2", n, 25) for n in (1, 10, 20, 25)]
