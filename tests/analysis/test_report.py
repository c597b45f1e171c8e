"""Reports of studies made by hand: the answer is the right one, and what is not known is said."""

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from steelyard.analysis import figures, phrases
from steelyard.analysis.recommend import recommend
from steelyard.analysis.report import Beside, write
from steelyard.analysis.study import Study

DATA: dict[str, Any] = {
    "digest": "d1",
    "tasks": {
        "age": {"kind": "regression", "unit": "years", "classes": []},
        "gender": {"kind": "binary", "unit": "", "classes": ["a", "b"]},
    },
    "splits": {
        split: {
            "examples": 10,
            "age": {"labelled": 10, "mean": 40, "deviation": 10, "constant_rmse": 10.0},
            "gender": {"labelled": 10, "majority": 0.5},
        }
        for split in ("train", "valid", "test")
    },
}
LOSSES = {  # (age, gender), the same on validation and test
    "equal": (100.0, 0.69),
    "age=0.01": (110.0, 0.42),
    "inverse_start": (150.0, 0.41),
    "nash_mtl": (105.0, 0.41),
    "age alone": (100.0, 0.9),
    "gender alone": (900.0, 0.40),
}
ALONE = ("age alone", "gender alone")
WEIGHTS = {"age=0.01": (0.01, 1), "age alone": (1, 0), "gender alone": (0, 1)}


def study(*settings: str, seeds: int = 3, **changes: str) -> Study:
    runs, curves = [], []
    for setting in settings:
        age, gender = LOSSES[setting]
        for seed in range(seeds):
            nudge = 1 + 0.001 * seed
            row: dict[str, Any] = {
                "setting": setting,
                "seed": seed,
                "run_key": f"{setting}{seed}",
                "weighting": "nash_mtl" if setting == "nash_mtl" else "fixed",
                "status": changes.get(f"{setting} {seed}", "finished"),
                "start/age": 1700.0,
                "start/gender": 0.7,
                "constant/age": 144.0,
                "constant/gender": 0.69,
            }
            weights = WEIGHTS.get(setting, (1, 1))
            row["weight/age"], row["weight/gender"] = map(float, weights)
            for split in ("valid", "test"):
                row |= {
                    f"{split}/age/loss": age * nudge,
                    f"{split}/age/mae": age**0.5,
                    f"{split}/age/rmse": age**0.5,
                    f"{split}/age/r2": 1 - age * nudge / 144,
                    f"{split}/gender/loss": gender * nudge,
                    f"{split}/gender/log_loss": gender * nudge,
                    f"{split}/gender/auc": 1 - gender * nudge,
                    f"{split}/gender/accuracy": 0.6,
                }
            runs.append(row)
            for epoch in range(2):
                losses = {"valid/age/loss": age, "valid/gender/loss": gender}
                curves.append({"setting": setting, "seed": seed, "epoch": epoch, **losses})
    return Study(name="made", runs=pd.DataFrame(runs), curves=pd.DataFrame(curves), data=DATA)


@pytest.fixture
def drawn() -> None:
    """Asked for by the tests that look at figures: they take seconds."""


@pytest.fixture(autouse=True)
def _words_alone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "drawn" not in request.fixturenames:
        monkeypatch.setattr(figures, "draw", lambda *_: [])


def report(given: Study, folder: Path) -> str:
    write(given, folder, Beside(expectation="**Question:** Which?"))
    return (folder / "report.md").read_text()


def test_the_best_mean_of_losses_over_those_alone_is_recommended() -> None:
    answer = recommend(study(*LOSSES))
    assert answer is not None
    # (1.1 + 0.42/0.40) / 2 = 1.075 against 1.3625 (equal) and 1.2625 (inverse_start)
    assert answer.setting == "age=0.01"
    assert answer.score.mean == pytest.approx(1.075, rel=1e-2)
    assert answer.weights == {"age": 0.01, "gender": 1}
    assert answer.method == "nash_mtl"
    assert answer.method_gain is not None
    assert answer.method_gain.mean == pytest.approx(1.0375 - 1.075, rel=1e-2)
    gender = next(each for each in answer.changes if each.measure == "log_loss")
    assert gender.won_back == pytest.approx((0.69 - 0.42) / (0.69 - 0.40), rel=1e-6)


@pytest.mark.usefixtures("drawn")
def test_a_report_says_the_answer_its_reason_and_how_sure(tmp_path: Path) -> None:
    text = report(study(*LOSSES), tmp_path)
    assert '**Use `loss_weights={"age": 0.01, "gender": 1}`**' in text
    assert "**gender** (auc) gains against equal weights" in text
    assert "93 % of the way from equal weights to the head alone" in text
    assert "| age | 1,700 | 99.96 % | 96 % |" in text
    assert "In 1 of the 3 fixed settings tried, with 3 seeds each, every head beats its" in text
    assert "In every other fixed setting some head is no better than a constant guess" in text
    assert "is nash_mtl; its score on the test differs" in text
    page = (tmp_path / "report.html").read_text()
    assert len(page.encode()) < 1_000_000
    assert not re.findall(r'(?:src|href)="(?!data:|#)', page)
    assert {path.name for path in (tmp_path / "figures").iterdir()} == {
        "front.png",
        "front.svg",
        "ranking.png",
        "ranking.svg",
        "heads.png",
        "curves.png",
    }
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["recommended"]["weights"] == {"age": 0.01, "gender": 1}


def test_a_better_score_that_does_not_serve_every_head_is_told_and_passed_over(
    tmp_path: Path,
) -> None:
    given = study(*LOSSES)
    given.runs.loc[given.runs["setting"] == "inverse_start", "valid/gender/loss"] = 0.1
    text = report(given, tmp_path)
    assert '**Use `loss_weights={"age": 0.01' in text
    assert "inverse_start has a better score, but leaves age no better than a constant" in text
    assert "No setting serves every head" not in text


def test_heads_that_no_setting_serves_are_named(tmp_path: Path) -> None:
    text = report(study("equal", "age alone", "gender alone"), tmp_path)
    assert "**No fixed setting serves every head:** in none of them does gender beat" in text
    assert "Of the one fixed setting tried, with 3 seeds each, by its score on validation:" in text
    assert "on average over the 2 heads, the loss is" in text


@pytest.mark.usefixtures("drawn")
def test_the_same_records_make_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        report(study(*LOSSES), tmp_path / name)
    for path in (tmp_path / "one").rglob("*.*"):
        assert (
            path.read_bytes()
            == (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes()
        )


def test_without_heads_alone_it_says_that_the_cost_of_sharing_is_not_known(tmp_path: Path) -> None:
    text = report(study("equal", "age=0.01"), tmp_path)
    assert "Not every head was trained alone" in text
    assert "Use `loss_weights=" in text


def test_one_seed_gives_no_interval_and_says_so(tmp_path: Path) -> None:
    text = report(study(*LOSSES, seeds=1), tmp_path)
    assert "One seed gives no interval" in text
    assert "±" not in text


@pytest.mark.usefixtures("drawn")
def test_one_setting_proves_nothing_and_says_so(tmp_path: Path) -> None:
    assert "No other fixed setting was tried" in report(study("equal"), tmp_path)


def test_failed_and_diverged_runs_are_counted(tmp_path: Path) -> None:
    given = study(*LOSSES, **{"equal 1": "failed", "inverse_start 2": "diverged"})
    text = report(given, tmp_path)
    assert "Of 18 runs 1 failed and 1 diverged" in text
    answer = recommend(given)
    assert answer is not None
    assert answer.setting == "age=0.01"


def test_methods_alone_give_no_weights_to_recommend(tmp_path: Path) -> None:
    assert "nothing can be recommended" in report(study("nash_mtl"), tmp_path)


@pytest.mark.usefixtures("drawn")
def test_a_point_of_the_page_tells_its_setting_and_its_weights(tmp_path: Path) -> None:
    report(study(*LOSSES), tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert "<title>age=0.01 (3 seeds)\nloss weights: age=0.01 gender=1" in page
    assert page.count("<svg ") == 2


def test_every_setting_stands_in_one_table_with_what_a_step_of_it_costs(tmp_path: Path) -> None:
    beside = Beside(costs={"nash_mtl": "one a head", "fixed": "one"}, citations=["Navon 2022"])
    write(study(*LOSSES), tmp_path, beside)
    text = (tmp_path / "report.md").read_text()
    rows = text[text.index("### Every setting") :].splitlines()[4:8]
    names = [row.split("|")[1].strip() for row in rows]
    assert names == ["nash_mtl", "**age=0.01**", "inverse_start", "equal"]  # by score on the test
    assert "| one a head | 3 |" in rows[0]
    assert "| one | 3 |" in rows[1]
    assert "- Navon 2022" in text


def varied(*alone: str, **columns: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Returns the runs and the curves of a study with further columns."""
    given = study("equal", "age=0.01", "nash_mtl", *alone)
    return given.runs.assign(**columns), given.curves.assign(**columns)


def test_each_setting_is_held_at_the_tuned_value_that_validation_likes_best() -> None:
    runs, curves = zip(
        varied(tuned="rate=0.1", **{"valid/score": 0.9}),
        varied(tuned="rate=0.01", **{"valid/score": 0.8}),
        strict=True,
    )
    both = pd.concat(runs, ignore_index=True)
    both.loc[(both["setting"] == "equal") & (both["tuned"] == "rate=0.01"), "valid/score"] = 1.0
    found = Study.made_of("made", both, pd.concat(curves, ignore_index=True), DATA)
    assert found.chosen["equal"] == "rate=0.1"
    assert found.chosen["nash_mtl"] == "rate=0.01"
    assert (found.n_trained, len(found.runs), len(found.tried)) == (18, 9, 2)
    assert set(found.curves.loc[found.curves["setting"] == "equal", "tuned"]) == {"rate=0.1"}


def test_tuned_values_are_chosen_by_the_losses_over_those_of_the_heads_alone() -> None:
    """A small loss beside a large constant counts in a record's own score for next to nothing."""
    low, high = (varied(*ALONE, tuned=f"rate={rate}")[0] for rate in (0.01, 0.1))
    at_equal = low["setting"] == "equal"  # the same rows in both
    low.loc[at_equal, ["valid/age/loss", "valid/gender/loss"]] = [100.0, 0.50]
    high.loc[at_equal, ["valid/age/loss", "valid/gender/loss"]] = [40.0, 0.51]
    low["valid/score"], high["valid/score"] = 0.4, 0.5
    low.loc[low["setting"] == "age alone", "valid/age/loss"] = 38.0
    both = pd.concat([low, high], ignore_index=True)
    found = Study.made_of("made", both, pd.DataFrame(), DATA)
    # Over the best of each head alone, 38 and 0.40: 1.94 at 0.01, and 1.16 at 0.1.
    assert found.chosen["equal"] == "rate=0.1"
    assert found.chosen["age alone"] == "rate=0.01"
    without = both[~both["setting"].str.endswith("alone")]
    found = Study.made_of("made", without, pd.DataFrame(), DATA)
    assert found.chosen["equal"] == "rate=0.01"  # by the record's own


def test_a_tuned_value_with_a_seed_that_did_not_finish_comes_last() -> None:
    good, bad = (
        varied(tuned=f"rate={rate}", **{"valid/score": score})[0]
        for rate, score in ((0.01, 0.9), (0.1, 0.5))
    )
    bad.loc[(bad["setting"] == "equal") & (bad["seed"] == 1), "status"] = "diverged"
    found = Study.made_of("made", pd.concat([good, bad]), pd.DataFrame(), DATA)
    assert found.chosen["equal"] == "rate=0.01"
    assert found.chosen["nash_mtl"] == "rate=0.1"


def test_where_every_tuned_value_lacks_a_seed_the_best_is_chosen_all_the_same() -> None:
    good, bad = (
        varied(tuned=f"rate={rate}", **{"valid/score": score})[0]
        for rate, score in ((0.01, 0.9), (0.1, 0.5))
    )
    for table in (good, bad):
        table.loc[(table["setting"] == "equal") & (table["seed"] == 1), "status"] = "diverged"
    found = Study.made_of("made", pd.concat([good, bad]), pd.DataFrame(), DATA)
    assert found.chosen["equal"] == "rate=0.1"
    assert phrases.tuned(found).endswith(
        "Of 3 settings 3 at rate=0.1 stand at the edge of what was tried, and might do better "
        "beyond it."
    )


@pytest.mark.usefixtures("drawn")
def test_a_study_across_conditions_answers_for_each_and_compares_them(tmp_path: Path) -> None:
    parts = [varied(*ALONE, across=condition) for condition in ("[1, 1]", "[1, 10]")]
    runs, curves = zip(*parts, strict=True)
    both = pd.concat(runs, ignore_index=True)
    is_there = (both["across"] == "[1, 10]") & (both["setting"] == "nash_mtl")
    both.loc[is_there, "test/gender/loss"] = 0.8
    found = Study.made_of("made", both, pd.concat(curves, ignore_index=True), DATA)
    text = report(found, tmp_path)
    table = text[text.index("## The answer") :].splitlines()
    assert table[2] == "| setting | [1, 1] | [1, 10] |"
    row = next(line for line in table if line.startswith("| nash_mtl"))
    # age 105 / 100; gender 0.41 / 0.40 and 0.8 / 0.40, as in the second half
    one, other = (float(cell.split()[0]) for cell in row.strip("| ").split("|")[1:])
    assert one == pytest.approx((1.05 + 1.025) / 2, abs=2e-3)
    assert other == pytest.approx((1.05 + 2.0) / 2, abs=2e-3)
    assert "## [1, 10]" in text
    assert (tmp_path / "figures" / "across.png").is_file()
    parts = json.loads((tmp_path / "summary.json").read_text())["parts"]
    assert parts["[1, 1]"]["recommended"]["weights"] == {"age": 0.01, "gender": 1}
    page = (tmp_path / "report.html").read_text()
    assert not re.findall(r'src="figures', page)
