"""Reports of studies made by hand: the answer is the right one, and what is not known is said."""

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from steelyard.analysis.recommend import recommend
from steelyard.analysis.report import write
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


def report(given: Study, folder: Path) -> str:
    write(given, folder, "**Question:** Which?")
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


def test_a_report_says_the_answer_its_reason_and_how_sure(tmp_path: Path) -> None:
    text = report(study(*LOSSES), tmp_path)
    assert '**Use `loss_weights={"age": 0.01, "gender": 1}`**' in text
    assert "**gender** (auc) gains against equal weights" in text
    assert "93 % of the way from equal weights to the head alone" in text
    assert "| age | 1,700 | 99.96 % | 96 % |" in text
    assert "In 1 of the 3 fixed settings tried, with 3 seeds each, every head beats its" in text
    assert "In every other fixed setting some head is no better than a constant guess" in text
    assert "nash_mtl; its score differs" in text
    page = (tmp_path / "report.html").read_text()
    assert len(page.encode()) < 1_000_000
    assert not re.findall(r'(?:src|href)="(?!data:)', page)
    assert {path.name for path in (tmp_path / "figures").iterdir()} == {
        "front.png",
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
    assert "**No setting serves every head:** in none of them does gender beat" in text
    assert "have the best score on validation: on average over the 2 heads" in text


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
