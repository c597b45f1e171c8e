"""Results against what is known of made-up data, on studies whose numbers are made by hand."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from steelyard.analysis import figures
from steelyard.analysis.ceilings import gaps_to_ceilings
from steelyard.analysis.report import Beside, write
from steelyard.analysis.study import Study
from tests.analysis.studies import made
from tests.analysis.test_report import LOSSES, study

SETTINGS = {"a": [0.2, 0.4], "b": [0.35, 0.3], "moves": [0.25, 0.35], "h0 alone": [0.1, 9.0]}


def known(losses: dict[str, Any], ceilings: dict[str, float], **more: Any) -> Study:
    given = made(losses, **more)
    return replace(given, data={**given.data, "ceilings": ceilings})


def test_a_gap_is_what_is_missing_to_the_ceiling_and_the_largest_one_counts() -> None:
    # The headline measure of these studies is 1 less the loss: 0.8 and 0.6 for `a`.
    found = gaps_to_ceilings(known(SETTINGS, {"h0": 0.9, "h1": 0.8}, methods=["moves"]))
    assert [each.setting for each in found] == ["moves", "a", "b"]
    by_name = {each.setting: each for each in found}
    assert by_name["a"].by_head["h0"].mean == pytest.approx(0.1)
    assert by_name["a"].largest.mean == pytest.approx(0.2)
    assert (by_name["a"].worst, by_name["b"].worst) == ("h1", "h0")
    assert [each.is_method for each in found] == [True, False, False]


def test_heads_alone_are_no_network_of_all_heads() -> None:
    losses = {**SETTINGS, "h1 alone": [9.0, 0.1]}
    found = gaps_to_ceilings(known(losses, {"h0": 0.9, "h1": 0.8}))
    assert {each.setting for each in found} == {"a", "b", "moves"}


def test_a_sample_of_the_test_can_pass_a_ceiling() -> None:
    (found,) = gaps_to_ceilings(known({"a": [0.05, 0.25]}, {"h0": 0.9, "h1": 0.8}))
    assert found.by_head["h0"].mean == pytest.approx(-0.05)
    assert found.largest.mean == pytest.approx(0.05)


@pytest.mark.parametrize("ceilings", [{}, {"another": 1.0}])
def test_where_nothing_is_known_nothing_is_said(ceilings: dict[str, float]) -> None:
    assert gaps_to_ceilings(known(SETTINGS, ceilings)) == []


def test_a_setting_without_a_finished_run_has_no_gap() -> None:
    statuses = {("a", seed): "diverged" for seed in range(3)}
    found = gaps_to_ceilings(known(SETTINGS, {"h0": 0.9, "h1": 0.8}, statuses=statuses))
    assert "a" not in {each.setting for each in found}


def test_a_report_on_made_up_data_is_held_against_the_truth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "draw", lambda *_: [])
    given = study(*LOSSES)
    write(given, tmp_path, Beside())
    assert "Against what is known" not in (tmp_path / "report.md").read_text()
    told = replace(given, data={**given.data, "ceilings": {"age": 0.4, "gender": 0.7}})
    write(told, tmp_path, Beside())
    text = (tmp_path / "report.md").read_text()
    assert "one network can reach it on all heads at once: age r2 0.400, gender auc 0.700." in text
    assert "The fixed setting nearest to it is age=0.01: age +0.165 ± 0.002" in text
    assert "The method nearest to it is nash_mtl: age +0.130 ± 0.002" in text
