"""One network against one for each head, on studies whose numbers are made by hand."""

import math
from pathlib import Path
from typing import Any

import pytest

from steelyard.analysis import figures
from steelyard.analysis.report import Beside, write
from steelyard.analysis.single_tasks import SingleTasks, against_single_tasks
from steelyard.analysis.study import Study
from tests.analysis.studies import made
from tests.analysis.test_report import LOSSES, study

ALONE: dict[str, Any] = {"h0 alone": [0.5, 9.0], "h1 alone": [9.0, 0.2]}


def found(losses: dict[str, Any], **more: Any) -> SingleTasks:
    told = against_single_tasks(made({**losses, **ALONE}, **more))
    assert told is not None
    return told


def report(given: Study, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(figures, "draw", lambda *_: [])
    write(given, folder, Beside())
    return (folder / "report.md").read_text()


def test_a_change_is_per_cent_of_the_head_alone_and_the_worst_counts() -> None:
    told = found({"a": [0.55, 0.19], "b": [0.45, 0.3]}).settings
    assert [each.setting for each in told] == ["a", "b"]  # misses by 10 and by 50
    assert told[0].by_head["h0"].mean == pytest.approx(10)
    assert told[0].by_head["h1"].mean == pytest.approx(-5)
    assert (told[0].worst, told[1].worst) == ("h0", "h1")
    assert told[1].largest.mean == pytest.approx(50)
    assert told[0].losers == ["h0"]


def test_a_tie_loses_to_nothing_and_less_than_the_interval_is_not_clear() -> None:
    told = found(
        {"tie": [0.5, 0.2], "worse": [0.6, 0.2], "unsure": [[0.4, 0.2], [0.5, 0.2], [0.65, 0.2]]}
    )
    assert told.winners == ["tie"]
    assert told.not_clearly_worse == ["unsure"]
    assert [each.setting for each in told.settings] == ["tie", "unsure", "worse"]


def test_pairing_by_seed_takes_away_what_seeds_share() -> None:
    moved = {"a": [[0.51, 0.2], [0.71, 0.2], [0.91, 0.2]]}
    alone = {"h0 alone": [[0.5, 9.0], [0.7, 9.0], [0.9, 9.0]], "h1 alone": [9.0, 0.2]}
    told = against_single_tasks(made({**moved, **alone}))
    assert told is not None
    change = told.settings[0].by_head["h0"]
    assert change.mean == pytest.approx(100 * 0.01 / 0.7)
    assert change.half == pytest.approx(0, abs=1e-9)
    assert told.settings[0].losers == ["h0"]


def test_the_nearest_of_the_fixed_settings_and_of_the_methods_are_told() -> None:
    losses = {"a": [0.6, 0.2], "b": [0.7, 0.2], "moves": [0.65, 0.2], "wild": [2.0, 2.0]}
    told = found(losses, methods=["moves", "wild"])
    assert [(each.setting, each.is_method) for each in told.nearest] == [
        ("a", False),
        ("moves", True),
    ]


def test_one_seed_gives_means_and_no_verdict_by_intervals() -> None:
    told = found({"a": [0.6, 0.2]}, n_seeds=1)
    assert told.settings[0].losers == []
    assert told.not_clearly_worse == []
    assert math.isnan(told.settings[0].largest.half)


def test_a_setting_without_a_finished_run_is_left_out() -> None:
    statuses = {("broken", seed): "failed" for seed in range(3)}
    told = found({"a": [0.6, 0.2], "broken": [0.1, 0.1]}, statuses=statuses)
    assert [each.setting for each in told.settings] == ["a"]


@pytest.mark.parametrize(
    "losses",
    [
        {"a": [0.5, 0.2]},
        {"a": [0.5, 0.2], "h0 alone": [0.5, 9.0]},
        {"a": [0.5, 0.2], "h0 alone": [0.0, 9.0], "h1 alone": [9.0, 0.2]},
        {"a": [0.5], "h0 alone": [0.5]},
    ],
    ids=["no head alone", "one head alone", "a loss of 0 alone", "one head in all"],
)
def test_without_heads_alone_nothing_is_said(losses: dict[str, Any]) -> None:
    assert against_single_tasks(made(losses)) is None


def test_the_report_says_whether_one_network_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = report(study(*LOSSES), tmp_path, monkeypatch)
    assert "**By their means, none of 4 settings is as good as every head alone.**" in text
    assert "The nearest fixed setting is age=0.01, which misses age alone by +10.00" in text
    assert "The nearest method is nash_mtl, which misses age alone by +5.000" in text
    monkeypatch.setitem(LOSSES, "nash_mtl", (99.0, 0.39))
    text = report(study(*LOSSES), tmp_path, monkeypatch)
    assert "1 of 4 settings loses to no head alone, by their means: nash_mtl." in text


def test_forty_heads_are_held_against_forty_networks() -> None:
    many: dict[str, Any] = {"a": [0.55] * 40}
    many |= {f"h{k} alone": [0.5 if k == j else 9.0 for j in range(40)] for k in range(40)}
    told = against_single_tasks(made(many))
    assert told is not None
    assert len(told.settings[0].losers) == 40
