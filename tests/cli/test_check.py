"""The check of a study: which runs it trains again, and which differences it lets pass."""

from typing import Any

import pandas as pd
import pytest

from steelyard.analysis.recommend import recommend
from steelyard.analysis.study import Study
from steelyard.cli.check import choose, compare, main, planned_of
from steelyard.cli.study import folder_of
from steelyard.construct import Refused
from tests.analysis.test_report import DATA, LOSSES, study


def records(**changes: float) -> list[dict[str, Any]]:
    test = {
        "age/loss": 4.0,
        "age/rmse": 2.0,
        **{k.replace("_", "/"): v for k, v in changes.items()},
    }
    return [{"run_key": "a", "name": "equal-0", "status": "finished", "test": test}]


COMMITTED = pd.DataFrame(
    {
        "run_key": ["a", "b", "c"],
        "setting": ["equal"] * 3,
        "status": ["finished"] * 3,
        "test/age/loss": [4.0, 4.2, 3.8],
        "test/age/rmse": [2.0, 2.0, 2.0],
    }
)


def test_the_same_numbers_pass(capsys: pytest.CaptureFixture[str]) -> None:
    assert compare(records(), COMMITTED) == 0
    assert "2 the same to six digits, 0 within rounding, 0 off" in capsys.readouterr().out


def test_a_number_within_the_seeds_spread_passes(capsys: pytest.CaptureFixture[str]) -> None:
    assert compare(records(age_loss=4.5), COMMITTED) == 0  # the deviation is 0.2
    assert "1 the same to six digits, 1 within rounding, 0 off" in capsys.readouterr().out


@pytest.mark.parametrize(("name", "value"), [("age_loss", 4.7), ("age_rmse", 2.05)])
def test_a_number_that_is_off_is_told(
    name: str, value: float, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare(records(**{name: value}), COMMITTED) == 1
    assert "1 off" in capsys.readouterr().out


def test_a_number_that_is_none_is_off() -> None:
    assert compare(records(age_loss=float("nan")), COMMITTED) == 1


def test_a_run_without_a_committed_number_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    stranger = [{**records()[0], "run_key": "z"}]
    assert compare(stranger, COMMITTED) == 1
    assert "has no committed number" in capsys.readouterr().out


@pytest.mark.parametrize("test", [{}, {"age/loss": None}])
def test_a_run_that_diverged_where_the_committed_one_finished_is_off(
    test: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    diverged = [{**records()[0], "status": "diverged", "test": test}]
    assert compare(diverged, COMMITTED) == 1
    out = capsys.readouterr().out
    assert "equal-0 is off: it diverged, the committed run finished." in out
    assert "2 numbers compared" in out
    assert "2 off" in out


def test_a_run_that_diverges_as_the_committed_one_did_is_not_off() -> None:
    gone = COMMITTED.assign(status=["diverged", "finished", "finished"])
    gone.loc[0, ["test/age/loss", "test/age/rmse"]] = None
    gone = pd.concat([gone, COMMITTED.assign(run_key=["d", "e", "f"])], ignore_index=True)
    again = [{**records()[0], "status": "diverged", "test": {}}, {**records()[0], "run_key": "d"}]
    assert compare(again, gone) == 0


def test_a_committed_number_that_the_new_run_lacks_is_off_and_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    (record,) = records()
    del record["test"]["age/rmse"]
    assert compare([record], COMMITTED) == 1
    out = capsys.readouterr().out
    assert "1 off" in out
    assert any({"age/rmse", "2", "-"} <= set(line.split()) for line in out.splitlines())


def test_a_number_that_was_never_committed_is_off() -> None:
    assert compare(records(age_r2=0.5), COMMITTED) == 1


def test_a_number_that_neither_run_has_is_not_compared() -> None:
    (record,) = records()
    record["test"]["age/r2"] = None
    assert compare([record], COMMITTED.assign(**{"test/age/r2": None})) == 0


def test_nothing_to_compare_is_no_agreement(capsys: pytest.CaptureFixture[str]) -> None:
    assert compare([], COMMITTED) == 1
    assert "There was nothing to compare." in capsys.readouterr().out


@pytest.mark.parametrize("axis", ["tuned", "across"])
def test_the_spread_is_of_seeds_at_the_same_tuned_value_and_condition(axis: str) -> None:
    """Between rates and conditions numbers differ by far more than between seeds."""
    other = COMMITTED.assign(run_key=["d", "e", "f"])
    other["test/age/loss"] *= 100
    both = pd.concat([COMMITTED.assign(**{axis: "1"}), other.assign(**{axis: "2"})])
    assert compare(records(age_loss=4.5), both) == 0  # the deviation is 0.2, of all six 210
    assert compare(records(age_loss=4.7), both) == 1


def test_the_runs_that_tell_most_are_chosen() -> None:
    assert choose(study(*LOSSES), 3) == ["equal0", "age=0.010", "nash_mtl0"]  # setting and seed
    assert len(choose(study(*LOSSES), 5)) == 5


def varied(**columns: str) -> pd.DataFrame:
    """Returns the runs of a study with a further column, whose values their keys end with."""
    ((name, value),) = columns.items()
    runs = study(*LOSSES).runs.assign(**columns)
    return runs.assign(run_key=runs["run_key"] + f" {name} {value}")


def test_of_a_tuned_study_as_many_are_chosen_as_asked_at_the_value_of_validation() -> None:
    low, high = varied(tuned="rate=0.01"), varied(tuned="rate=0.1")
    losses = ["valid/age/loss", "valid/gender/loss"]
    high.loc[high["setting"] != "equal", losses] *= 2
    low.loc[low["setting"] == "equal", losses] *= 2
    found = Study.made_of("made", pd.concat([high, low]), pd.DataFrame(), DATA)
    assert choose(found, 3) == [
        "equal0 tuned rate=0.1",
        "age=0.010 tuned rate=0.01",
        "nash_mtl0 tuned rate=0.01",
    ]


def test_of_a_study_across_conditions_those_of_the_first_are_chosen_first() -> None:
    both = pd.concat([varied(across="[1, 1]"), varied(across="[1, 10]")])
    found = Study.made_of("made", both, both[["across"]], DATA)
    chosen = choose(found, 8)
    assert chosen[0] == "equal0 across [1, 1]"
    assert len(chosen) == 8
    assert [key.partition(" across ")[2] for key in chosen] == ["[1, 1]"] * 6 + ["[1, 10]"] * 2


@pytest.mark.parametrize("name", ["posts", "scale", "diamonds"])
def test_of_a_committed_study_three_runs_are_planned(name: str) -> None:
    found = Study.read(folder_of(name))
    answer = recommend(found)
    planned = planned_of(name, choose(found, 3))
    assert answer is not None
    told = [(run["setting"], run["seed"]) for run in planned]
    assert told == [("equal", 0), (answer.setting, 0), (answer.method, 0)]


def test_a_plan_of_other_runs_than_the_committed_ones_is_refused() -> None:
    with pytest.raises(Refused, match=r"got none with the key nowhere; run dvc repro first\."):
        planned_of("posts", ["nowhere"])


def test_at_least_one_run_must_be_asked_for() -> None:
    with pytest.raises(Refused, match=r"`--runs` must be at least 1, got 0\."):
        main(["posts", "--runs", "0"])
