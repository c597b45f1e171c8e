"""Rows of studies that lack something: nothing fails, and what cannot be said has its reason."""

import math
from typing import Any

import pandas as pd
import pytest

from steelyard.analysis.comparison import compare
from steelyard.analysis.study import Study
from tests.analysis.studies import made
from tests.analysis.test_comparison import ALONE, LOSSES, made_rows, rows_of


def test_a_setting_of_which_no_run_finished_still_has_its_row() -> None:
    statuses = {("method", seed): "diverged" for seed in range(3)}
    row = made_rows(LOSSES, methods=["method"], statuses=statuses)["method"]
    assert row.n_diverged == 3
    assert math.isnan(row.score.mean)
    assert row.worst is None
    assert row.reasons["score"] == "no run finished with a loss of every head"
    assert row.not_dominated is not None
    assert row.not_dominated.share == 0
    assert "not_dominated" not in row.reasons
    assert not row.is_beyond
    assert not row.is_behind
    failed = {("method", seed): "failed" for seed in range(3)}
    row = made_rows(LOSSES, methods=["method"], statuses=failed)["method"]
    assert row.reasons["mean_rank"] == "no run finished"
    assert row.reasons["not_dominated"] == row.reasons["score"]


def test_heads_that_were_not_trained_alone_have_no_change_but_all_else() -> None:
    joint = {name: values for name, values in LOSSES.items() if name not in ALONE}
    row = made_rows(joint, methods=["method"])["method"]
    assert row.delta_m_pct_lower_better is None
    assert row.reasons == {"delta_m_pct_lower_better": "h0 was not trained alone"}
    assert row.score.mean == pytest.approx((0.26 + 0.52) / 2)  # over constants of 1


@pytest.mark.parametrize(
    ("alone", "reason"),
    [
        ([0.999, 0.9], "r2 of h0 alone, 0.001 ± 0, is not apart from 0"),
        ([1.5, 0.9], "r2 of h0 alone, -0.5 ± 0, is not apart from 0"),
        ([[0.5, 1], [0.9, 1], [0.6, 1]], "r2 of h0 alone, 0.333 ± 0.517, is not apart from 0"),
    ],
)
def test_a_reference_near_zero_gives_no_relative_change(alone: Any, reason: str) -> None:
    row = made_rows({**LOSSES, "h0 alone": alone}, methods=["method"])["a"]
    assert row.delta_m_pct_lower_better is None
    assert row.reasons["delta_m_pct_lower_better"] == reason


def test_a_reference_loss_of_zero_leaves_the_losses_unsaid() -> None:
    rows = made_rows({**LOSSES, "h0 alone": [0.0, 0.9]}, methods=["method"])
    for row in rows.values():
        assert math.isnan(row.score.mean)
        assert row.reasons["distance"] == "the reference loss of h0 must be above 0, and is 0"
        assert row.distance is None
        assert row.delta_m_pct_lower_better is not None
    assert rows["method"].mean_rank is not None


def test_one_seed_gives_means_without_intervals_or_verdicts() -> None:
    rows = made_rows(LOSSES | {"method": [0.1, 0.1]}, methods=["method"], n_seeds=1)
    kept = made_rows({name: LOSSES[name] for name in ("equal", "a")}, n_seeds=1)
    assert rows["a"].score.mean == pytest.approx(1.5)
    assert math.isnan(rows["a"].score.half)
    assert not any(row.is_beyond or row.is_behind for row in kept.values())
    assert math.isnan(rows["a"].p_adjusted)


def test_results_that_tie_are_neither_beyond_nor_behind() -> None:
    tied = {name: [0.4, 0.4] for name in ("equal", "a", "method")}
    for row in made_rows(tied, methods=["method"]).values():
        assert row.distance is not None
        assert row.distance.mean == 0
        assert not row.is_beyond
        assert not row.is_behind
        assert row.not_dominated is not None
        assert row.not_dominated.share == 1
        if row.against_equal:
            assert row.p_adjusted == 1
            assert row.reasons["against_equal"] == "both are the same in every seed"


@pytest.mark.parametrize(
    ("losses", "reasons"),
    [
        (
            {"a": [0.5, 0.5]},
            {
                "distance": "no other fixed setting finished",
                "mean_rank": "there is nothing to rank it against",
                "against_equal": "equal weights were not tried",
            },
        ),
        ({"method": [0.5, 0.5]}, {"not_dominated": "no other fixed setting finished"}),
    ],
)
def test_one_setting_only_is_told_apart_from_nothing(
    losses: dict[str, Any], reasons: dict[str, str]
) -> None:
    (row,) = compare(made(losses, methods=["method"]))
    assert row.score.mean == 0.5
    assert row.reasons.items() >= reasons.items()
    assert row.distance is None


def test_one_head_is_compared_as_two_are() -> None:
    one = made_rows({"h0 alone": [0.5], "equal": [0.6], "a": [0.55], "m": [0.4]}, methods=["m"])
    assert list(one) == ["equal", "a", "m"]
    assert one["m"].distance is not None
    assert one["m"].distance.mean == pytest.approx(0.8 - 1.1)


@pytest.mark.slow
def test_forty_heads_are_compared_as_two_are() -> None:
    losses = {"equal": [0.5] * 40, "a": [0.4] * 39 + [0.6], "m": [0.45] * 40}
    rows = made_rows(losses, methods=["m"], n_seeds=1)
    assert rows["m"].score.mean == pytest.approx(0.45)
    assert rows["m"].distance is not None
    assert rows["m"].distance.mean == pytest.approx(-0.05)  # equal is worse by 0.05 everywhere
    assert rows["a"].worst == "h39"


def test_a_study_without_a_finished_run_or_any_run_says_so() -> None:
    statuses = {("equal", 0): "failed", ("method", 0): "diverged"}
    losses = {"equal": [0.4, 0.4], "method": [0.3, 0.3]}
    rows = made_rows(losses, methods=["method"], n_seeds=1, statuses=statuses)
    assert rows["equal"].n_failed == 1
    assert rows["method"].reasons["score"] == "no run finished"
    assert rows["method"].against_equal is not None
    assert compare(made(losses, n_seeds=0)) == []


def test_heads_alone_that_did_not_finish_are_no_joint_setting() -> None:
    statuses = {("h0 alone", seed): "diverged" for seed in range(3)}
    rows = made_rows(LOSSES, methods=["method"], statuses=statuses)
    assert "h0 alone" not in rows
    assert rows["a"].reasons["delta_m_pct_lower_better"] == "h0 was not trained alone"


def test_seeds_that_lack_a_loss_of_one_head_are_left_out() -> None:
    study = made(LOSSES, methods=["method"])
    is_it = (study.runs["setting"] == "method") & (study.runs["seed"] == 0)
    study.runs.loc[is_it, "test/h1/loss"] = math.nan
    row = rows_of(study)["method"]
    assert row.score.n == 2
    assert row.distance is not None
    assert row.distance.n == 2


def test_columns_that_a_table_lacks_are_not_known() -> None:
    study = made(LOSSES, methods=["method"])
    columns = [name for name in study.runs if not str(name).startswith("test/")]
    bare = Study(name="bare", runs=study.runs[columns], curves=pd.DataFrame(), data=study.data)
    row = rows_of(bare)["method"]
    assert math.isnan(row.score.mean)
    assert row.reasons["score"] == "the reference loss of h0 must be above 0, and is nan"
    assert row.reasons["delta_m_pct_lower_better"] == "r2 of h0 alone, nan, is not apart from 0"
