"""MLflow as the mirror of runs: what it shows of one, also of one that was cut off."""

from pathlib import Path

import pytest

from steelyard.tracking.mlflow import MlflowTracker, _summary
from steelyard.tracking.mlflow_client import RANKING
from tests.tracking.mirror import (
    CONFIG,
    STUDY,
    TRACKER,
    client,
    ended,
    identity,
    only,
    points,
    row,
)


def test_epochs_are_shown_at_their_steps_and_the_summary_at_the_end(output: Path) -> None:
    folder, record, history = ended(output, "whole")
    watcher = TRACKER.begin(output, identity("whole"), CONFIG)
    for epoch in range(len(history)):
        watcher.log(epoch, row(epoch))
    assert points(output, "whole", "valid/score") == [(0, 1.0), (1, 0.5)]
    assert only(output, "whole").info.status == "RUNNING"
    watcher.end("finished", record, folder)
    run = only(output, "whole")
    assert run.info.status == "FINISHED"
    assert points(output, "whole", "train/age/loss") == [(0, 100.0), (1, 99.0)]
    assert points(output, "whole", "best/score") == [(0, 0.5)]
    assert points(output, "whole", "test/age/r2") == [(0, 0.25)]
    assert "test/gender/auc" not in run.data.metrics
    shown = {each.path for each in client(output).list_artifacts(run.info.run_id)}
    assert shown == {"config.yaml", "history.csv", "record.json"}


def test_a_run_bears_its_tags_and_its_configuration(output: Path) -> None:
    TRACKER.begin(output, identity("told"), CONFIG)
    run = only(output, "told")
    wanted = {**identity("told").tags, "study": STUDY, "run_key": "told"}
    assert wanted.items() <= run.data.tags.items()
    assert "mlflow.parentRunId" not in run.data.tags
    assert run.info.run_name == "dwa-told"
    path = run.data.params.pop("data.path")
    assert path == "/" + 5999 * "x"
    assert run.data.params == {
        "seed": "0",
        "loss_weights.rule": "equal",
        "loss_weights.age": "0.25",
        "data.classes": "[]",
        "data.unit": "",
    }


def test_more_values_than_a_batch_takes_are_all_written(output: Path) -> None:
    many = {f"valid/measure_{n}": float(n) for n in range(1300)}
    config = {f"knob_{n}": n for n in range(230)}
    watcher = TRACKER.begin(output, identity("many"), config)
    watcher.log(0, many)
    run = only(output, "many")
    assert run.data.metrics == many
    assert len(run.data.params) == len(config)


def test_values_wait_for_the_next_write_and_none_is_lost(output: Path) -> None:
    folder, record, _ = ended(output, "patient")
    watcher = MlflowTracker(write_seconds=1e6).begin(output, identity("patient"), CONFIG)
    for epoch in range(3):
        watcher.log(epoch, row(epoch))
    assert points(output, "patient", "valid/score") == []
    watcher.end("finished", record, folder)
    assert [step for step, _ in points(output, "patient", "valid/score")] == [0, 1, 2]


@pytest.mark.parametrize("way", ["silent", "killed", "failed"])
def test_a_run_that_was_cut_off_goes_on_where_it_was(output: Path, way: str) -> None:
    folder, record, _ = ended(output, way)
    cut_off = TRACKER.begin(output, identity(way), CONFIG)
    for epoch in range(2):
        cut_off.log(epoch, row(epoch))
    if way != "silent":
        cut_off.end(way, {"status": "failed"}, folder)
        assert only(output, way).info.status == way.upper()
    again = TRACKER.begin(output, identity(way), CONFIG)
    assert only(output, way).info.status == "RUNNING"
    for epoch in range(4):
        again.log(epoch, row(epoch))
    again.end("finished", record, folder)
    assert only(output, way).info.status == "FINISHED"
    for name in row(0):
        assert points(output, way, name) == [(epoch, row(epoch)[name]) for epoch in range(4)]


def test_an_ended_run_is_mirrored_once(output: Path) -> None:
    folder, record, history = ended(output, "mirrored")
    for _ in range(2):
        TRACKER.mirror(output, identity("mirrored"), folder, record, history)
    run = only(output, "mirrored")
    assert run.info.status == "FINISHED"
    assert points(output, "mirrored", "valid/score") == [(0, 1.0), (1, 0.5)]
    assert points(output, "mirrored", "best/score") == [(0, 0.5)]
    assert "epoch" not in run.data.metrics
    assert run.data.params["loss_weights.age"] == "0.25"


def test_a_run_whose_end_was_not_shown_is_completed_by_the_mirror(output: Path) -> None:
    TRACKER.begin(output, identity("half"), CONFIG).log(0, row(0))
    folder, record, history = ended(output, "half")
    TRACKER.mirror(output, identity("half"), folder, record, history)
    assert only(output, "half").info.status == "FINISHED"
    assert points(output, "half", "valid/score") == [(0, 1.0), (1, 0.5)]


def test_a_diverged_run_is_a_result_and_says_so(output: Path) -> None:
    folder, record, history = ended(output, "wild", "diverged")
    history[1]["valid/score"] = float("nan")
    for _ in range(2):
        TRACKER.mirror(output, identity("wild"), folder, record, history)
    run = only(output, "wild")
    assert run.info.status == "FINISHED"
    assert run.data.tags["diverged"] == "true"
    assert [step for step, _ in points(output, "wild", "valid/score")] == [0, 1]


def test_a_run_is_ranked_by_all_its_heads_whatever_their_units() -> None:
    record = {
        "best": {"age/loss": 50.0, "gender/loss": 0.6, "score": 0.5},
        "test": {"age/r2": None},
        "constant": {"age": 100.0, "gender": 0.6},
    }
    assert _summary(record)[RANKING] == pytest.approx((0.5 + 1.0) / 2)
    assert "test/age/r2" not in _summary(record)
    assert RANKING not in _summary({**record, "constant": {"age": 0.0, "gender": 0.6}})
