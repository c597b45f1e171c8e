"""A sweep's runs as they are listed: points for any heads, beside arms, in a study and its plan."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hydra.core.global_hydra import GlobalHydra

from hydra_plugins.steelyard.arms import Sweep, asked_of, sweep_of
from steelyard.cli import plan, study
from steelyard.cli.compose import composed, composing
from tests.cli.commands import called

DIALS = ("data=dials", "model=shared_trunk", "data.n_train=64")
THREE = ("data.scale=[1,1,1]", "data.noise=[0,0,0]", "data.labelled=[1,1,1]")


def listed(chosen: Sequence[str], arguments: Sequence[str] = ()) -> Sweep:
    """Returns the runs that a command has.

    Args:
        chosen: Words that choose how the sweep goes.
        arguments: Further words, which may be swept over.
    """
    with composing():
        fixed = [each for each in arguments if "," not in each or "[" in each]
        master = composed([*chosen, *fixed])
        loader = GlobalHydra.instance().config_loader()
        asked = asked_of(master.hydra.sweeper)
        told = [*(each for each in chosen if not each.startswith("hydra.")), *arguments]
        return sweep_of(loader, master, asked, told)


def weights_of(runs: Sweep) -> list[dict[str, Any]]:
    return [dict(each.loss_weights) for each in runs.configs]


def test_points_are_made_for_the_heads_of_the_data() -> None:
    chosen = ("sweep=simplex", "hydra.sweeper.points.n_points=3", "hydra.sweeper.points.decades=4")
    runs = listed(chosen, (*DIALS, "seed=0,1"))
    assert weights_of(runs)[:3] == [
        {"rule": "equal", "task_0": 0.01, "task_1": 1},
        {"rule": "equal"},
        {"rule": "equal", "task_0": 1, "task_1": 0.01},
    ]
    assert [each.seed for each in runs.configs] == [0, 0, 0, 1, 1, 1]
    assert "++loss_weights={task_0:0.01,task_1:1}" in runs.jobs[0]
    three = listed(chosen, (*DIALS, *THREE))
    assert weights_of(three)[0] == {"rule": "equal"}
    assert {len(each) for each in weights_of(three)[1:]} == {4}


def test_data_that_are_swept_over_have_each_their_own_heads() -> None:
    runs = listed(
        ("sweep=simplex", "hydra.sweeper.points.n_points=2", "model=shared_trunk"),
        ("data=dials,diamonds",),
    )
    heads = [set(each) - {"rule"} for each in weights_of(runs)]
    assert heads == [{"task_0", "task_1"}] * 2 + [heads[2]] * 2
    assert len(heads[2]) > 1
    assert "task_0" not in heads[2]


@pytest.mark.parametrize(("design", "n_runs"), [("grid", 5), ("random", 15), ("simplex", 15)])
def test_every_design_composes_and_its_runs_differ(design: str, n_runs: int) -> None:
    runs = listed((f"sweep={design}",), DIALS)
    assert len(runs.jobs) == n_runs
    assert len({json.dumps(each) for each in weights_of(runs)}) == n_runs


def test_points_are_one_more_arm_beside_those_of_a_study() -> None:
    """A study's eight weights and twelve methods, and four points, of which it has one itself."""
    knobs = (
        "hydra.sweeper.points.n_points=4",
        "hydra.sweeper.points.center={age:0.1,income:1,gender:1}",
        "hydra.sweeper.points.alone=false",
    )
    runs = listed(("experiment=posts", "sweep=simplex", *knobs), ("seed=0,1",))
    assert len(runs.jobs) == 2 * (8 + 12 + 4 - 1)
    assert len({json.dumps(job) for job in runs.jobs}) == len(runs.jobs)


def test_the_command_line_wins_over_points() -> None:
    runs = listed(("sweep=simplex",), (*DIALS, "++loss_weights={task_0:0.5}"))
    assert weights_of(runs) == [{"rule": "equal", "task_0": 0.5}]


def test_equal_weights_are_numbers_where_a_study_has_given_numbers() -> None:
    """A rule would leave the study's own numbers standing."""
    runs = listed(("experiment=book_posts", "sweep=simplex", "hydra.sweeper.points.n_points=1"))
    assert weights_of(runs) == [{"rule": "equal", "age": 1, "income": 1, "gender": 1}]


def test_a_study_may_choose_a_sweep_in_its_defaults(tmp_path: Path) -> None:
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment/mine.yaml").write_text(
        "# @package _global_\n"
        "defaults:\n  - override /data: dials\n  - override /model: shared_trunk\n"
        "  - override /sweep: grid\n"
        "hydra: {sweeper: {params: {seed: '0,1'}, points: {factors: [1, 10], alone: true}}}\n"
    )
    with composing():
        master = composed(["--config-dir", str(tmp_path), "experiment=mine"])
        loader = GlobalHydra.instance().config_loader()
        asked = asked_of(master.hydra.sweeper)
        runs = sweep_of(loader, master, asked, [], lead=["experiment=mine"])
    assert runs.jobs[:2] == [
        ["seed=0", "++loss_weights={rule:equal}"],
        ["seed=0", "++loss_weights={task_0:0.1,task_1:1}"],
    ]
    assert len(runs.jobs) == 2 * (3 + 2)


def planned(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *more: str
) -> tuple[list[dict[str, Any]], str]:
    """Returns the rows of the plan of `posts`, composed with further words, and its text."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(study, "composed", lambda words: composed([*words, *more]))
    assert plan.main(["posts"]) == 0
    text = (folder / "experiments/posts/plan.json").read_text()
    return json.loads(text)["runs"], text


def test_a_plan_tells_what_is_tuned_and_what_it_goes_across(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arm = "{weighting: 'fixed,dwa', optimizer.learning_rate: '0.001,0.003'}"
    rates = ["hydra.sweeper.points=null", f"hydra.sweeper.arms=[{arm}]"]
    tuned = "hydra.sweeper.tuned=[optimizer.learning_rate]"
    rows, _ = planned(tmp_path, monkeypatch, *rates, tuned, "hydra.sweeper.across=weighting")
    assert len(rows) == 5 * 2 * 2
    assert [row["tuned"] for row in rows[:2]] == [
        {"optimizer.learning_rate": 0.001},
        {"optimizer.learning_rate": 0.003},
    ]
    assert {row["across"] for row in rows} == {"fixed", "dwa"}
    one_rate = [rates[0], rates[1].replace("'0.001,0.003'", "0.001")]
    plain, text = planned(tmp_path, monkeypatch, *one_rate)
    assert {tuple(row) for row in plain} == {("run_key", "setting", "seed", "overrides")}
    assert [row["run_key"] for row in plain] == [row["run_key"] for row in rows[::2]]
    assert "tuned" not in text


def test_a_search_cannot_be_planned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for words in ("hydra/sweeper=pareto", "hydra.sweeper.halving={epochs: [1, 2]}"):
        with pytest.raises(ValueError, match="`posts` must say which runs it has"):
            planned(tmp_path, monkeypatch, words)


MISTAKES = {
    "no point": (
        ["sweep=simplex", "hydra.sweeper.points.n_points=0"],
        "`hydra.sweeper.points.n_points` must be a whole number from 1 to 10000, got 0.",
    ),
    "a head that is not there": (
        ["sweep=simplex", "hydra.sweeper.points.center={task_9:1}"],
        "`hydra.sweeper.points.center` must name the heads task_0, task_1, got 'task_9'",
    ),
    "a misspelt knob": (
        ["sweep=simplex", "hydra.sweeper.points.n_point=3"],
        "`hydra.sweeper.points.n_point` must be a key of the configuration",
    ),
    "code of someone else's": (
        ["sweep=simplex", "hydra.sweeper.points._target_=os.system"],
        "`hydra.sweeper.points` must be a class of steelyard.sweep.points and its knobs, got "
        "'os.system'.",
    ),
    "a class of ours that makes no points": (
        ["sweep=simplex", "hydra.sweeper.points._target_=steelyard.data.dials.Dials"],
        "got 'steelyard.data.dials.Dials'.",
    ),
    "no points at all": (["hydra.sweeper.points=3"], "and its knobs, got 3."),
    "a key that is not tuned": (
        ["hydra.sweeper.tuned=[optimizer.lr]", "seed=0,1"],
        "`hydra.sweeper.tuned` must name what the sweep varies (seed), got 'optimizer.lr'.",
    ),
    "rounds without epochs": (
        ["hydra.sweeper.halving=3", "seed=0,1"],
        "`hydra.sweeper.halving` must be a mapping with epochs and keep, got 3.",
    ),
    "rounds of a misspelt knob": (
        ["hydra.sweeper.halving={epochs: [1,2], kep: 0.5}"],
        "unexpected keyword argument 'kep'",
    ),
    "rounds beside epochs": (
        ["hydra.sweeper.halving={epochs: [1,2]}", "training.epochs=3"],
        "`training.epochs` must be left to `hydra.sweeper.halving`",
    ),
    "a search of nothing": (
        ["hydra/sweeper=pareto", "hydra.sweeper.n_trials=0"],
        "`hydra.sweeper.n_trials` must be a whole number of at least 1, got 0.",
    ),
    "a search over more than seeds": (
        ["hydra/sweeper=pareto", "weighting=dwa,fixed"],
        "must be given one value for each key but `seed`, got a sweep of 2 settings.",
    ),
    "a search with weights of one's own": (
        ["hydra/sweeper=pareto", "loss_weights.task_0=3"],
        "`loss_weights.task_0` must be left to the search",
    ),
    "a search in rounds": (
        ["hydra/sweeper=pareto", "hydra.sweeper.halving={epochs: [1,2]}"],
        "`hydra.sweeper.halving` must be null in a search",
    ),
    "a search for what is large": (
        ["hydra/sweeper=pareto", "hydra.sweeper.objectives=[best/task_0/r2]"],
        "`hydra.sweeper.objectives` must list measures",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_in_one_line(
    mistake: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    words, told = MISTAKES[mistake]
    monkeypatch.chdir(tmp_path)
    code, _, err = called(capsys, monkeypatch, "train", "-m", *words, *DIALS)
    assert code == 2, err
    assert told in err
    assert err.count("\n") == 1
    assert not list(tmp_path.iterdir())
