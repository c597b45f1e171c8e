"""Runs that a report would take for one: a study refuses them before anything is trained."""

import json
from pathlib import Path

import pytest
from hydra.core.global_hydra import GlobalHydra

from hydra_plugins.steelyard.arms import asked_of, sweep_of
from steelyard.cli.compose import composed, composing
from steelyard.sweep.marks import is_study, words_of
from tests.cli.commands import called
from tests.launch.test_sweeps import DIALS, planned

PLANS = sorted((Path(__file__).parents[2] / "experiments").glob("*/plan.json"))
APART = "`hydra.sweeper` must tell the runs of a study apart, got "
TWINS = {
    "two optimizers": (
        "params: {seed: '0,1', optimizer: 'adam,sgd'}",
        "got equal-0 of both 'optimizer=adam' and 'optimizer=sgd'; leave one out, or put what "
        "differs into `hydra.sweeper.tuned` or `hydra.sweeper.across`.",
    ),
    "two spellings of equal weights": (
        "params: {++loss_weights: '{rule:equal},{task_0:1,task_1:1}'}",
        "of both '++loss_weights={rule:equal}' and '++loss_weights={task_0:1,task_1:1}'",
    ),
    "one tuned value, and another key": (
        "params: {optimizer.learning_rate: '0.1,0.2', training.batch_size: '32,64'}\n"
        "    tuned: [optimizer.learning_rate]",
        "got equal-0 learning_rate=0.1 of both 'training.batch_size=32' and",
    ),
    "one condition, and another key": (
        "params: {data.noise: '[0,0],[1,1]', training.batch_size: '32,64'}\n    across: data.noise",
        "got equal-0 [0, 0] of both 'training.batch_size=32' and",
    ),
    "the same in two orders": (
        "arms: [{seed: 0, training.epochs: 1}, {training.epochs: 1, seed: 0}]",
        "got equal-0 of both 'seed=0 training.epochs=1 ",
    ),
}


def kept(folder: Path, sweeper: str) -> Path:
    """Returns a folder of choices with a study `mine`, of which the sweeper's part is given."""
    (folder / "experiment").mkdir(parents=True)
    (folder / "experiment/mine.yaml").write_text(
        "# @package _global_\n"
        "defaults:\n  - override /data: dials\n  - override /model: shared_trunk\n"
        "study: mine\n"
        f"hydra:\n  sweeper:\n    {sweeper}\n"
    )
    return folder


@pytest.mark.parametrize("twin", TWINS)
def test_a_study_with_two_runs_that_it_would_take_for_one_is_refused_before_it_is_trained(
    twin: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sweeper, told = TWINS[twin]
    choices = kept(tmp_path / "choices", sweeper)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    words = ("--config-dir", str(choices), "experiment=mine", "tracker=record")
    code, _, err = called(capsys, monkeypatch, "train", "-m", *words)
    assert code == 2, err
    assert err.startswith(APART)
    assert told in err
    assert err.count("\n") == 1
    assert not list(Path.cwd().iterdir())


def test_two_runs_that_a_study_would_take_for_one_are_not_planned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("hydra.sweeper.points=null", "hydra.sweeper.arms=[{optimizer: 'adam,sgd'}]")
    with pytest.raises(ValueError, match=r"got equal-0 of both 'optimizer=adam' and") as refused:
        planned(tmp_path, monkeypatch, *words)
    assert str(refused.value).startswith(APART)
    assert not list(tmp_path.iterdir())
    rows, _ = planned(tmp_path, monkeypatch, *words, "hydra.sweeper.tuned=[optimizer]")
    assert len(rows) == 2 * 5


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("experiment=posts",), True),
        (("experiment=posts", "tracker=record", "output=elsewhere"), True),
        (("experiment=posts", "hydra.launcher.n_together=2"), True),
        (("optimizer=adam",), False),
        (("experiment=posts", "optimizer=sgd"), False),
        (("experiment=posts", "sweep=simplex"), False),
        (("experiment=posts", "hydra.sweeper.arms=[]"), False),
    ],
)
def test_a_sweep_is_a_study_where_it_has_the_runs_of_its_file(
    words: tuple[str, ...], expected: bool
) -> None:
    with composing():
        master = composed(words)
    arguments = [word for word in words if not word.startswith("hydra.")]
    assert is_study(arguments, master) is expected


def test_a_sweep_that_is_no_study_may_vary_anything(tmp_path: Path) -> None:
    choices = kept(tmp_path, "params: {seed: 0}")
    for words in (DIALS, ("--config-dir", str(choices), "experiment=mine")):
        with composing():
            master = composed(words)
            loader = GlobalHydra.instance().config_loader()
            told = [*(DIALS if words is DIALS else ["experiment=mine"]), "optimizer=adam,sgd"]
            asked = asked_of(master.hydra.sweeper)
            assert len(sweep_of(loader, master, asked, told).jobs) == 2
        assert not is_study(told, master)


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.parent.name)
def test_the_runs_of_a_committed_plan_are_told_apart(path: Path) -> None:
    runs = json.loads(path.read_text())["runs"]
    found = {(run["setting"], run["seed"], *words_of(run).items()) for run in runs}
    assert len(found) == len(runs)
