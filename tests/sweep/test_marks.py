"""A plan is told what a study tunes and what it goes across, and only what it sweeps over."""

from typing import Any

import pytest
from omegaconf import OmegaConf

from steelyard.construct import Refused
from steelyard.sweep.marks import check_marks, marks_of, setting_of, swept_keys

JOBS = [
    ["seed=0", "weighting=dwa", "optimizer.learning_rate=0.1"],
    ["seed=0", "weighting=dwa", "optimizer.learning_rate=0.2"],
    ["seed=0", "++loss_weights={a:1,b:2}", "optimizer.learning_rate=0.1"],
]


def test_what_has_several_values_is_swept_over() -> None:
    assert swept_keys(JOBS) == ["weighting", "optimizer.learning_rate", "loss_weights"]


@pytest.mark.parametrize(
    ("tuned", "across", "words"),
    [
        (["optimizer.learning_rat"], None, "(did you mean 'optimizer.learning_rate'?)"),
        (["seed"], None, "`hydra.sweeper.tuned` must name what the sweep varies"),
        ([], "seed", "`hydra.sweeper.across` must name what the sweep varies"),
        ([], ["weighting"], "got ['weighting']"),
        ("weighting", None, "must be a list of keys, got 'weighting'"),
        (None, None, "must be a list of keys, got None"),
    ],
)
def test_what_is_not_swept_over_is_refused(tuned: Any, across: Any, words: str) -> None:
    with pytest.raises(Refused) as refused:
        check_marks(tuned, across, JOBS)
    assert words in str(refused.value)


def test_what_is_swept_over_may_be_tuned() -> None:
    check_marks(["optimizer.learning_rate"], "weighting", JOBS)
    check_marks([], None, [[]])


def test_values_are_those_of_the_run_and_a_group_s_is_its_choice() -> None:
    config = OmegaConf.create(
        {
            "data": {"scale": [1.0, 10.0]},
            "optimizer": {"learning_rate": 0.003},
            "hydra": {"runtime": {"choices": {"weighting": "dwa"}}},
        }
    )
    tuned = ["optimizer.learning_rate", "weighting.rate"]
    assert marks_of(tuned, "data.scale", config) == {
        "tuned": {"optimizer.learning_rate": 0.003, "weighting.rate": None},
        "across": [1.0, 10.0],
    }
    assert marks_of([], "weighting", config) == {"across": "dwa"}
    assert marks_of([], None, config) == {}


def test_runs_of_one_setting_differ_in_the_seed_alone() -> None:
    assert setting_of(["seed=0", "a=1"]) == setting_of(["a=1", "seed=1"]) != setting_of(["a=2"])
    assert setting_of(["data.seed=0"]) != setting_of(["data.seed=1"])
