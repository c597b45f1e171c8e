"""A sweep that is composed once has the configurations that Hydra would compose for each run."""

import pytest
from hydra.core.global_hydra import GlobalHydra
from omegaconf import OmegaConf

from hydra_plugins.steelyard.arms import jobs_of
from hydra_plugins.steelyard.jobs import configs_of
from steelyard.cli.compose import composed, composing
from steelyard.cli.validate import without_hydra

JOBS = [
    ["seed=1"],
    ["weighting=nash_mtl", "++loss_weights={age:0.1,income:1,gender:1}"],
    ["weighting=nash_mtl", "seed=2", "++loss_weights.age=3"],
    ["weighting=smoothed", "weighting@weighting.method=dwa", "model.dropout=0.5"],
    ["data=dials", "model=shared_trunk", "training.epochs=1", "loss_weights=inverse_start"],
    ["+model.heads={age:[4]}", "seed=4"],
]


def test_each_run_is_what_hydra_composes() -> None:
    with composing():
        master = composed([])
        found = configs_of(GlobalHydra.instance().config_loader(), master, JOBS)
        for job, config in zip(JOBS, found, strict=True):
            whole = composed(job)
            assert OmegaConf.to_container(without_hydra(config), resolve=True) == (
                OmegaConf.to_container(without_hydra(whole), resolve=True)
            )
            assert config.hydra.runtime.choices == whole.hydra.runtime.choices


def test_runs_do_not_see_each_other_s_values() -> None:
    with composing():
        loader = GlobalHydra.instance().config_loader()
        jobs = jobs_of(loader, {"seed": "0,1"}, [{"training.epochs": "2,3"}], [])
        found = configs_of(loader, composed([]), jobs)
    assert [(each.seed, each.training.epochs) for each in found] == [(0, 2), (0, 3), (1, 2), (1, 3)]


def test_a_key_that_is_not_there_is_hydra_s_own_error() -> None:
    with composing():
        loader = GlobalHydra.instance().config_loader()
        with pytest.raises(Exception, match="Could not override 'seeed'"):
            configs_of(loader, composed([]), [["seeed=1"]])
