"""Which weights are recommended: those that serve every head, and of these the best."""

from typing import Any

import pandas as pd
import pytest

from steelyard.analysis.phrases import best_method, chosen, not_chosen, unserved
from steelyard.analysis.recommend import Recommendation, recommend
from steelyard.analysis.significance import compared
from steelyard.analysis.study import Study

HEADS = ("age", "gender")
DATA = {"tasks": {head: {"kind": "regression", "unit": "", "classes": []} for head in HEADS}}
Losses = dict[str, tuple[float, float]]  # by setting: of each head, where its constant has 1


def study(losses: Losses, n_seeds: int = 2, **changes: Any) -> Study:
    """Returns a study, with some cells changed: `<setting> <column>` to its value."""
    runs = []
    for setting, values in losses.items():
        for seed in range(n_seeds):
            row: dict[str, Any] = {"setting": setting, "seed": seed, "weighting": "fixed"}
            row["status"] = "finished"
            for head, loss in zip(HEADS, values, strict=True):
                row[f"valid/{head}/loss"] = loss + 0.02 * seed
                row[f"weight/{head}"] = float(setting in {f"{head} alone", "a", "b", "c"})
                row[f"constant/{head}"] = 1.0
                if setting == f"{head} alone":
                    row["valid/score"] = row[f"valid/{head}/loss"]  # over 1
            runs.append(row)
    table = pd.DataFrame(runs)
    for name, value in changes.items():
        setting, column = name.split()
        table.loc[table["setting"] == setting.replace("_", " "), column] = value
    return Study(name="made", runs=table, curves=pd.DataFrame(), data=DATA)


def answer(losses: Losses, n_seeds: int = 2, **changes: Any) -> Recommendation:
    found = recommend(study(losses, n_seeds, **changes))
    assert found is not None
    return found


def test_a_setting_that_serves_every_head_goes_before_one_of_a_better_score() -> None:
    losses = {"a": (0.1, 1.2), "b": (0.8, 0.7), "c": (0.9, 0.9)}
    found = answer(losses)
    assert found.setting == "b"
    assert found.candidates == ["b", "c"]
    assert found.passed_over == ["a"]
    assert found.unserved == {"a": ["gender"], "b": [], "c": []}
    assert chosen(study(losses), found).startswith(
        "In 2 of the 3 fixed settings tried, with 2 seeds each, every head beats its best constant"
    )


def test_a_setting_that_does_not_serve_every_head_is_no_rival() -> None:
    found = answer({"a": (0.1, 1.2), "b": (0.8, 0.7), "c": (0.8, 0.71)}, n_seeds=1)
    assert [setting for setting, _ in found.rivals] == ["c"]


def test_where_no_setting_serves_every_head_the_best_score_is_taken_and_the_heads_are_named() -> (
    None
):
    losses = {"a": (0.4, 1.2), "b": (0.8, 1.1)}
    found = answer(losses)
    assert found.setting == "a"
    assert found.candidates == ["a", "b"]
    assert not found.serves_all
    assert found.passed_over == []
    assert unserved(found).startswith("in none of them does gender beat its best constant guess")
    assert chosen(study(losses), found).startswith("Among the 2 fixed settings tried, with 2 seeds")
    both = answer({"a": (1.1, 1.2), "b": (0.9, 1.9)})
    assert unserved(both).endswith("on validation, nor with these weights age")
    none = answer({"a": (1.1, 1.2)}, n_seeds=1)
    assert unserved(none).startswith("in none of them does age or gender beat")


def test_heads_that_are_served_in_turns_are_told_apart_from_those_that_never_are() -> None:
    found = answer({"a": (0.4, 1.2), "b": (1.1, 0.9)})
    assert found.never_served == []
    assert unserved(found) == (
        "each beats its best constant guess in some, but gender not with these weights"
    )


def test_seeds_count_by_their_mean_and_a_setting_that_lacks_one_is_not_chosen() -> None:
    assert answer({"a": (0.4, 0.985)}).serves_all  # 0.985 and 1.005
    assert not answer({"a": (0.4, 0.995)}).serves_all
    losses = {"a": (0.4, 0.4), "b": (0.8, 0.8)}
    broken = study(losses)
    broken.runs.loc[1, "status"] = "diverged"
    found = recommend(broken)
    assert found is not None
    assert found.setting == "b"
    assert found.unserved == {"b": []}
    assert found.incomplete == {"a": 1}
    assert found.rivals == []
    assert not_chosen(broken, found) == "a (1 of 2 seeds finished)"
    assert chosen(broken, found).startswith(
        "In the one fixed setting of which all 2 seeds finished"
    )


def test_a_setting_of_which_no_run_is_left_is_told_and_of_none_but_such_the_best_is_taken() -> None:
    missing = study({"a": (0.4, 0.4), "b": (0.8, 0.8)})
    missing.runs.loc[missing.runs["setting"] == "a", "status"] = "failed"
    found = recommend(missing)
    assert found is not None
    assert found.incomplete == {"a": 0}
    assert not_chosen(missing, found) == "a (none of 2 seeds finished)"
    missing.runs.loc[[0, 3], "status"] = ["finished", "failed"]
    broken = Study(name="made", runs=missing.runs, curves=pd.DataFrame(), data=DATA)
    found = recommend(broken)
    assert found is not None
    assert found.incomplete == {"a": 1, "b": 1}
    assert (found.setting, found.serves_all) == ("a", True)
    assert not_chosen(broken, found) == ""
    assert chosen(broken, found).startswith("In each of the 2 fixed settings with 1 of 2 seeds fin")


def test_where_every_setting_lacks_a_seed_the_best_of_those_that_lack_least_is_taken() -> None:
    broken = study({"a": (0.8, 0.8), "b": (0.4, 0.4), "c": (0.1, 0.1)}, n_seeds=3)
    broken.runs.loc[[0, 4, 6, 7], "status"] = "failed"  # one of a, one of b, two of c
    found = recommend(broken)
    assert found is not None
    assert (found.setting, found.serves_all) == ("b", True)
    assert found.incomplete == {"a": 2, "b": 2, "c": 1}
    assert not_chosen(broken, found) == "c (1 of 3 seeds finished)"


def test_the_best_method_is_named_with_the_heads_that_it_leaves_and_told_by_the_test() -> None:
    losses = {"a": (0.6, 0.6), "b": (0.7, 0.7), "m": (0.2, 1.2)}
    made = study(losses, n_seeds=3)
    made.runs.loc[made.runs["setting"] == "m", "weighting"] = "famo"
    for head, loss in zip(HEADS, (0.6, 0.6), strict=True):  # on the test it is as good as a
        made.runs[f"test/{head}/loss"] = loss + 0.01 * made.runs["seed"]
    found = recommend(made)
    assert found is not None
    assert (found.method, found.method_unserved) == ("m", ["gender"])
    assert found.method_gain is not None
    assert found.method_gain.mean == pytest.approx(0)
    told = best_method(found)
    assert told.endswith("But it leaves gender no better than a constant guess.")
    assert "no clear difference" in told


def test_a_setting_is_clearly_worse_only_after_correction_for_their_number() -> None:
    """By itself c is worse (p = 0.03); as one of two that are held against the best it is not."""
    made = study({"a": (0.4, 0.4), "b": (0.4001, 0.4), "c": (0.5, 0.4)}, n_seeds=4)
    noise = {"b": (0.0, 0.01, 0.0, -0.009), "c": (0.0, 0.1, -0.06, 0.02)}
    for setting, values in noise.items():
        made.runs.loc[made.runs["setting"] == setting, "valid/age/loss"] += values
    alone = compared(made.scores("c"), made.scores("a"))
    assert 0.025 < alone.p < 0.05
    found = recommend(made)
    assert found is not None
    assert [setting for setting, _ in found.rivals] == ["b", "c"]


@pytest.mark.parametrize(
    ("changes", "served"),
    [
        ({}, True),  # by the constant on train
        ({"gender_alone valid/score": 0.6}, False),  # 0.5 and 0.52 over 0.85
        ({"gender_alone valid/score": 0.5}, True),
        ({"a constant_valid/gender": 0.85}, False),
        ({"a constant_valid/gender": 0.95, "gender_alone valid/score": 0.6}, True),
    ],
)
def test_the_constant_is_held_against_what_it_costs_on_validation(
    changes: dict[str, float], served: bool
) -> None:
    losses = {"a": (0.4, 0.9), "gender alone": (2.0, 0.5)}
    changes = {"gender_alone valid/score": float("nan"), **changes}
    assert answer(losses, **changes).serves_all is served


def test_a_head_that_no_setting_trains_asks_for_nothing() -> None:
    losses = {"a": (0.4, 1.5), "b": (0.5, 1.4)}
    untrained = {f"{setting} weight/gender": 0.0 for setting in losses}
    assert answer(losses, **untrained).serves_all
    assert answer(losses, **{"a weight/gender": 0.0}).never_served == ["gender"]
