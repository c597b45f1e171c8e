"""MLflow as the mirror of studies and sweeps: experiments, parents, and processes that died."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from steelyard.tracking.mlflow_client import Place, experiment_of
from tests.tracking.mirror import (
    CONFIG,
    STUDY,
    TRACKER,
    artifacts_of,
    client,
    identity,
    only,
    parents,
)


def test_the_database_is_made_below_the_output_folder(output: Path) -> None:
    assert (output / "mlflow" / "mlflow.db").is_file()


def test_a_study_is_an_experiment(output: Path) -> None:
    TRACKER.begin(output, identity("elsewhere", study="clothing"), CONFIG)
    experiment = client(output).get_experiment_by_name("clothing")
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


def test_a_sweep_that_was_cut_off_is_shown_so_until_it_goes_on(output: Path) -> None:
    rows = [{"name": "a", "status": "failed"}]
    TRACKER.begin_sweep(output, STUDY, "cut", "steelyard train -m")
    TRACKER.end_sweep(output, STUDY, "cut", rows, was_cut_off=True)
    (parent,) = parents(output, "cut")
    assert parent.info.status == "KILLED"
    TRACKER.begin_sweep(output, STUDY, "cut", "steelyard train -m")
    assert parents(output, "cut")[0].info.status == "RUNNING"


def test_a_sweep_that_is_run_again_has_each_row_once(output: Path) -> None:
    rows = [{"name": "a", "status": "finished"}, {"name": "b", "status": "x", "n": float("nan")}]
    for _ in range(2):
        TRACKER.begin_sweep(output, STUDY, "again", "steelyard train -m")
        TRACKER.end_sweep(output, STUDY, "again", rows)
    (parent,) = parents(output, "again")
    table = json.loads((artifacts_of(parent) / "runs.json").read_text())
    assert table["data"] == [["a", "finished", None], ["b", "x", None]]


def test_a_study_that_was_deleted_is_brought_back(output: Path) -> None:
    binned = experiment_of(Place(output), "binned")
    client(output).delete_experiment(binned)
    TRACKER.begin_sweep(output, "binned", "more", "steelyard train -m")
    found = client(output).get_experiment_by_name("binned")
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
        client(output).set_tag(only(output, key).info.run_id, "process", process)
    TRACKER.begin_sweep(output, STUDY, "next", "steelyard train -m")
    statuses = {key: only(output, key).info.status for key in owners}
    assert statuses == {"dead": "KILLED", "reborn": "KILLED", "away": "RUNNING", "alive": "RUNNING"}


def test_a_sweep_that_is_over_leaves_none_of_its_runs_running(output: Path) -> None:
    TRACKER.begin_sweep(output, STUDY, "over", "steelyard train -m")
    dead = f"{socket.gethostname()}:{max(psutil.pids()) + 100_000}:1000000000"
    for key, sweep in (("unseen", "over"), ("crashed", "over"), ("other", "another")):
        TRACKER.begin(output, identity(key, sweep), CONFIG)
    client(output).set_tag(only(output, "crashed").info.run_id, "process", dead)
    TRACKER.end_sweep(output, STUDY, "over", [{"name": "a", "status": "finished"}])
    statuses = {key: only(output, key).info.status for key in ("unseen", "crashed", "other")}
    assert statuses == {"unseen": "KILLED", "crashed": "KILLED", "other": "RUNNING"}
    assert only(output, "crashed").info.end_time


SWEEP = """
import sys
import time
from pathlib import Path
from steelyard.tracking.mlflow import MlflowTracker
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
