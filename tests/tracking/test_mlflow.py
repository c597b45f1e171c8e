"""MLflow as the mirror: what it shows of runs, of runs cut off, and of sweeps."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest

from steelyard.tracking.mlflow import RANKING, MlflowTracker, _client, _experiment, _summary
from steelyard.tracking.record import RunFolder
from steelyard.tracking.tracker import Identity

STUDY = "posts"
TRACKER = MlflowTracker(write_seconds=0)
CONFIG = {
    "seed": 0,
    "loss_weights": {"rule": "equal", "age": 0.25},
    "data": {"classes": [], "unit": "", "path": "/" + 7000 * "x"},
}
Row = Mapping[str, float]


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An output folder with a database, which takes ten seconds to make and is made once."""
    folder = tmp_path_factory.mktemp("outputs")
    _experiment(folder, STUDY)
    yield folder
    _client.cache_clear()


def identity(key: str, sweep: str = "", study: str = STUDY) -> Identity:
    tags = {"weighting": "dwa", "loss_weights": "age=0.25", "seed": "0", "git_commit": "abc"}
    return Identity(key, f"dwa-{key}", study, sweep, tags)


def row(epoch: int) -> dict[str, float]:
    return {"valid/score": 1 / (1 + epoch), "train/age/loss": 100.0 - epoch}


def ended(output: Path, key: str, status: str = "finished") -> tuple[Path, Any, list[Any]]:
    """Returns the folder of a run that was recorded, its record, and its history."""
    folder = RunFolder(output, key)
    folder.begin("seed: 0\n")
    record = {
        "status": status,
        "config": CONFIG,
        "epochs": 2,
        "best": {"score": 0.5},
        "test": {"age/r2": 0.25, "gender/auc": float("nan")},
    }
    folder.end(record, [{"epoch": float(epoch), **row(epoch)} for epoch in range(2)])
    return folder.path, folder.record(), folder.history()


def found(output: Path, key: str) -> Sequence[Any]:
    """Returns all runs that MLflow has of a key."""
    client = _client(output)
    everywhere = [each.experiment_id for each in client.search_experiments()]
    runs: Sequence[Any] = client.search_runs(everywhere, f"tags.run_key = '{key}'")
    return runs


def only(output: Path, key: str) -> Any:
    (run,) = found(output, key)
    return run


def points(output: Path, key: str, name: str) -> list[tuple[int, float]]:
    """Returns a metric's steps and values."""
    history = _client(output).get_metric_history(only(output, key).info.run_id, name)
    return sorted((each.step, each.value) for each in history)


def parents(output: Path, sweep: str) -> Sequence[Any]:
    experiment = _experiment(output, STUDY)
    runs: Sequence[Any] = _client(output).search_runs(
        [experiment], f"tags.sweep_parent = '{sweep}'"
    )
    return runs


def artifacts_of(run: Any) -> Path:
    return Path(run.info.artifact_uri.removeprefix("file://"))


def test_the_database_is_made_below_the_output_folder(output: Path) -> None:
    assert (output / "mlflow" / "mlflow.db").is_file()


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
    shown = {each.path for each in _client(output).list_artifacts(run.info.run_id)}
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


def test_a_study_is_an_experiment(output: Path) -> None:
    TRACKER.begin(output, identity("elsewhere", study="clothing"), CONFIG)
    experiment = _client(output).get_experiment_by_name("clothing")
    assert only(output, "elsewhere").info.experiment_id == experiment.experiment_id
    artifacts = (output / "mlflow" / "artifacts" / "clothing").as_uri()
    assert experiment.artifact_location == artifacts


def test_a_sweep_has_one_parent_and_its_runs_are_the_children(output: Path) -> None:
    for command in ("steelyard train -m seed=0,1", "steelyard train -m seed=0,1"):
        TRACKER.begin_sweep(output, STUDY, "one", command)
    TRACKER.begin_sweep(output, STUDY, "another", "steelyard train -m seed=2,3")
    (one,), (another,) = parents(output, "one"), parents(output, "another")
    assert one.info.run_id != another.info.run_id
    assert one.data.tags["command"] == "steelyard train -m seed=0,1"
    for key, sweep, parent in (("a", "one", one), ("b", "one", one), ("c", "another", another)):
        TRACKER.begin(output, identity(key, sweep), CONFIG)
        tags = only(output, key).data.tags
        assert tags["mlflow.parentRunId"] == parent.info.run_id
        assert tags["sweep"] == sweep


@pytest.mark.parametrize(
    ("last", "status"), [("finished", "FINISHED"), ("diverged", "FINISHED"), ("failed", "FAILED")]
)
def test_a_sweep_that_is_over_has_a_row_for_each_run(output: Path, last: str, status: str) -> None:
    TRACKER.begin_sweep(output, STUDY, last, "steelyard train -m")
    rows = [{"name": "a", "status": "finished", "test/age/r2": 0.5}, {"name": "b", "status": last}]
    TRACKER.end_sweep(output, STUDY, last, rows)
    (parent,) = parents(output, last)
    assert parent.info.status == status
    table = json.loads((artifacts_of(parent) / "runs.json").read_text())
    assert table == {
        "columns": ["name", "status", "test/age/r2"],
        "data": [["a", "finished", 0.5], ["b", last, None]],
    }
    TRACKER.begin_sweep(output, STUDY, last, "steelyard train -m")
    (parent,) = parents(output, last)
    assert parent.info.status == "RUNNING"


def test_a_sweep_that_is_run_again_has_each_row_once(output: Path) -> None:
    rows = [{"name": "a", "status": "finished"}, {"name": "b", "status": "x", "n": float("nan")}]
    for _ in range(2):
        TRACKER.begin_sweep(output, STUDY, "again", "steelyard train -m")
        TRACKER.end_sweep(output, STUDY, "again", rows)
    (parent,) = parents(output, "again")
    table = json.loads((artifacts_of(parent) / "runs.json").read_text())
    assert table["data"] == [["a", "finished", None], ["b", "x", None]]


def test_a_study_that_was_deleted_is_brought_back(output: Path) -> None:
    binned = _experiment(output, "binned")
    _client(output).delete_experiment(binned)
    TRACKER.begin_sweep(output, "binned", "more", "steelyard train -m")
    found = _client(output).get_experiment_by_name("binned")
    assert (found.experiment_id, found.lifecycle_stage) == (binned, "active")


def test_runs_of_dead_processes_are_closed_when_a_sweep_begins(output: Path) -> None:
    here, started = socket.gethostname(), f"{psutil.Process().create_time():.0f}"
    dead = max(psutil.pids()) + 100_000
    owners = {
        "dead": f"{here}:{dead}:{started}",
        "reborn": f"{here}:{os.getpid()}:1000000000",  # its number was given to another process
        "away": f"elsewhere:{dead}:{started}",
        "alive": f"{here}:{os.getpid()}:{started}",
    }
    for key, process in owners.items():
        TRACKER.begin(output, identity(key), CONFIG)
        _client(output).set_tag(only(output, key).info.run_id, "process", process)
    TRACKER.begin_sweep(output, STUDY, "next", "steelyard train -m")
    statuses = {key: only(output, key).info.status for key in owners}
    assert statuses == {"dead": "KILLED", "reborn": "KILLED", "away": "RUNNING", "alive": "RUNNING"}


SWEEP = """
import sys
import time
from pathlib import Path
from steelyard.tracking.mlflow import RANKING, _summary, MlflowTracker
from steelyard.tracking.tracker import Identity

output, number = Path(sys.argv[1]), sys.argv[2]
tracker = MlflowTracker(write_seconds=0)
tracker.begin_sweep(output, "posts", "first", "steelyard train -m")
(output / f"ready-{number}").touch()
while len(list(output.glob("ready-*"))) < 3:
    time.sleep(0.01)
for sweep in ("second", "third", "fourth", "last"):
    tracker.begin_sweep(output, "posts", sweep, "steelyard train -m")
tracker.begin(output, Identity(number, number, "posts", "last", {}), {"a": 1}).log(0, {"a": 1.0})
"""


@pytest.mark.slow
def test_processes_that_begin_at_once_share_one_database_and_one_parent(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SWEEP, str(tmp_path)]
    processes = [
        subprocess.Popen([*command, str(n)], stderr=subprocess.PIPE, text=True) for n in range(3)
    ]
    try:
        told = [process.communicate(timeout=120)[1] for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert [process.returncode for process in processes] == [0, 0, 0], told
    for sweep in ("first", "second", "third", "fourth"):
        assert len(parents(tmp_path, sweep)) == 1, sweep
    (parent,) = parents(tmp_path, "last")
    for n in range(3):
        assert only(tmp_path, str(n)).data.tags["mlflow.parentRunId"] == parent.info.run_id


def test_a_run_is_ranked_by_all_its_heads_whatever_their_units() -> None:
    record = {
        "best": {"age/loss": 50.0, "gender/loss": 0.6, "score": 0.5},
        "test": {"age/r2": None},
        "constant": {"age": 100.0, "gender": 0.6},
    }
    assert _summary(record)[RANKING] == pytest.approx((0.5 + 1.0) / 2)
    assert "test/age/r2" not in _summary(record)
    assert RANKING not in _summary({**record, "constant": {"age": 0.0, "gender": 0.6}})
