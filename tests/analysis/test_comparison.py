"""Rows of a study made by hand: each number is the right one, and what is not known is said."""

import math
from typing import Any

import numpy as np
import pytest

from steelyard.analysis.comparison import Row, compare
from steelyard.analysis.study import Study
from tests.analysis.studies import made

ALONE = {"h0 alone": [0.2, 0.9], "h1 alone": [0.9, 0.4]}  # the references: losses of 0.2 and 0.4
LOSSES = {
    **ALONE,
    "equal": [0.4, 0.4],  # ratios 2, 1
    "a": [0.3, 0.6],  # 1.5, 1.5
    "b": [0.2, 0.8],  # 1, 2
    "method": [[0.24, 0.48], [0.26, 0.52], [0.28, 0.56]],  # 1.2, 1.2; 1.3, 1.3; 1.4, 1.4
}


def rows_of(study: Study) -> dict[str, Row]:
    return {row.setting: row for row in compare(study)}


def made_rows(losses: dict[str, Any], **options: Any) -> dict[str, Row]:
    return rows_of(made(losses, **options))


def test_each_joint_setting_has_a_row_with_its_losses_over_those_alone() -> None:
    rows = made_rows(LOSSES, methods=["method"])
    assert list(rows) == ["equal", "a", "b", "method"]
    assert [row.is_method for row in rows.values()] == [False, False, False, True]
    assert rows["a"].score.mean == pytest.approx(1.5)
    assert rows["method"].score.mean == pytest.approx(1.3)
    assert rows["method"].score.n == 3
    assert rows["equal"].worst_head.mean == pytest.approx(2)
    assert (rows["equal"].worst, rows["b"].worst) == ("h0", "h1")


def test_the_change_against_the_heads_alone_is_of_the_headline_measure() -> None:
    # R2 of 0.8 and 0.6 alone; equal has 0.6 and 0.6: (25 + 0) / 2.
    rows = made_rows(LOSSES, methods=["method"])
    found = rows["equal"].delta_m_pct_lower_better
    assert found is not None
    assert found.mean == pytest.approx(12.5)
    assert "delta_m_pct_lower_better" not in rows["equal"].reasons


def test_methods_and_the_recommended_and_equal_weights_are_ranked() -> None:
    # Equal 0.4, 0.4; a, which has the best score of the fixed with them, comes after: not ranked.
    rows = made_rows({**LOSSES, "a": [0.3, 0.3]}, methods=["method"])
    ranks = {name: row.mean_rank for name, row in rows.items()}
    assert ranks["b"] is None
    assert rows["b"].reasons["mean_rank"].startswith("only methods, and the recommended")
    # On h0: method, a, equal. On h1: a, equal, method.
    assert {name: each.mean for name, each in ranks.items() if each} == {
        "equal": 2.5,
        "a": 1.5,
        "method": 2.0,
    }


def test_a_method_is_beyond_the_frontier_only_if_its_whole_interval_is() -> None:
    # Each seed lies on the diagonal: by a, at (1.5, 1.5), it is beyond by 0.3, 0.2 and 0.1.
    # 6.205347 is Student's t of 2 degrees for a level of 0.05 over two heads.
    row = made_rows(LOSSES, methods=["method"])["method"]
    assert row.n_front == 3
    assert row.distance is not None
    assert row.distance.mean == pytest.approx(-0.2)
    assert row.distance.high == pytest.approx(-0.2 + 0.1 * 6.205347 / math.sqrt(3), abs=1e-6)
    assert not row.is_beyond
    assert row.not_dominated is not None
    assert row.not_dominated.share == 1
    closer = {**LOSSES, "method": [[0.24, 0.48], [0.25, 0.50], [0.245, 0.49]]}
    assert made_rows(closer, methods=["method"])["method"].is_beyond


def test_a_method_is_behind_if_its_whole_interval_is_and_then_all_its_runs_are_dominated() -> None:
    behind = {**LOSSES, "method": [[0.34, 0.68], [0.35, 0.70], [0.345, 0.69]]}
    row = made_rows(behind, methods=["method"])["method"]
    assert row.distance is not None
    assert row.distance.mean == pytest.approx(0.225)  # 1.725 less 1.5
    assert row.is_behind
    assert not row.is_beyond
    assert row.not_dominated is not None
    assert row.not_dominated.share == 0
    assert row.not_dominated.high < 1


def test_a_fixed_setting_is_held_against_the_other_fixed_settings_only() -> None:
    row = made_rows({**LOSSES, "method": [0.01, 0.01]}, methods=["method"])["a"]
    assert row.n_front == 2
    assert row.distance is not None
    assert row.distance.mean == pytest.approx(-0.5)  # either neighbour is worse by 0.5 on one head


def test_differences_to_equal_weights_are_paired_and_adjusted_for_their_number() -> None:
    noise = np.array([[0.0, 0.0], [0.01, 0.0], [0.02, 0.01], [0.03, 0.0]])
    losses = {
        name: np.array(values) + noise * factor
        for name, values, factor in (
            *((name, values, 1.0) for name, values in ALONE.items()),
            ("equal", [0.4, 0.4], 1.0),
            ("a", [0.2, 0.4], 1.1),
            ("b", [0.39, 0.4], 3.0),
        )
    }
    rows = made_rows(losses)
    assert rows["equal"].against_equal is None
    assert rows["equal"].reasons["against_equal"] == "these are equal weights"
    clear, unclear = (rows[name].against_equal for name in ("a", "b"))
    assert clear is not None
    assert unclear is not None
    assert clear.difference.mean < 0
    assert clear.p < 0.001 < unclear.p
    assert rows["a"].p_adjusted == pytest.approx(2 * clear.p)
    assert rows["b"].p_adjusted == pytest.approx(unclear.p)
    assert math.isnan(rows["equal"].p_adjusted)


def test_runs_that_diverged_or_failed_are_counted_and_the_first_kind_ranks_last() -> None:
    statuses = {("method", 0): "diverged", ("method", 1): "failed"}
    losses = {**LOSSES, "a": [0.3, 0.55]}  # the recommended
    row = made_rows(losses, methods=["method"], statuses=statuses)["method"]
    assert (row.n_finished, row.n_failed, row.n_diverged) == (1, 1, 1)
    assert row.score.n == 1
    assert row.mean_rank is not None
    assert row.mean_rank.n == 2
    assert row.mean_rank.mean == 2.5  # the last, 3, on seed 0; on seed 2 the first and the last
    assert row.not_dominated is not None
    assert (row.not_dominated.share, row.not_dominated.n) == (0.5, 2)
    assert row.against_equal is not None
    assert math.isnan(row.against_equal.p)
    assert row.reasons["against_equal"].startswith("a test needs 2 seeds")
