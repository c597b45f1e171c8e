"""Sweeps in several processes: the same records as in one, and what dies takes its run alone."""

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from steelyard.launch.parallel import environment, n_cores, n_processes_of_this_machine
from tests.cli.commands import TINY, called, finished, started

IN_PARALLEL = ("hydra/launcher=parallel", "hydra.launcher.n_processes=2")
SWEEP = ("train", "-m", *TINY, "tracker=record")
LONG = (*SWEEP, "training.epochs=3000", "tracker.checkpoint_seconds=0")


def records(folder: Path) -> dict[str, dict[str, Any]]:
    """Returns the records below a folder, by the run's key, without what the clock says."""
    found = [json.loads(path.read_text()) for path in folder.glob("outputs/runs/*/record.json")]
    return {each["run_key"]: {**each, "seconds": 0} for each in found}


def workers(process: Any) -> list[psutil.Process]:
    """Returns the processes that a command has begun runs in."""
    children = psutil.Process(process.pid).children(recursive=True)
    return [each for each in children if "spawn_main" in " ".join(each.cmdline())]


def waited(process: Any, folder: Path, n_runs: int) -> None:
    """Returns when as many runs have written a checkpoint, or are over and need none."""
    deadline = time.monotonic() + 120
    names = ("checkpoint.npz", "record.json")
    while len({path.parent for n in names for path in folder.glob(f"outputs/runs/*/{n}")}) < n_runs:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_threads_are_divided_but_for_those_that_show_in_the_numbers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    half = str(max(1, n_cores() // 2))
    assert environment(2, is_deterministic=False)["TF_NUM_INTRAOP_THREADS"] == half
    assert environment(2, is_deterministic=True)["TF_NUM_INTEROP_THREADS"] == half
    assert "TF_NUM_INTRAOP_THREADS" not in environment(2, is_deterministic=True)
    assert environment(10 * n_cores(), is_deterministic=True)["OMP_NUM_THREADS"] == "1"
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert "OMP_NUM_THREADS" not in environment(2, is_deterministic=True)


def test_as_many_processes_as_suit_the_machine() -> None:
    assert 1 <= n_processes_of_this_machine() <= max(1, n_cores() // 2)


@pytest.mark.parametrize(
    ("launcher", "knob", "message"),
    [
        ("parallel", "n_processes=0", "must be at least 1, got 0"),
        ("parallel", "n_processes=two", "must be a whole number, got 'two'"),
        ("parallel", "runs_per_process=0", "must be at least 1, got 0"),
        ("slurm", "minutes=0", "must be at least 1, got 0"),
        ("slurm", "gpus=-1", "must be at least 0, got -1"),
    ],
)
def test_a_knob_that_cannot_be_is_refused_in_one_line(
    launcher: str,
    knob: str,
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ("train", "-m", "seed=0,1", f"hydra/launcher={launcher}", f"hydra.launcher.{knob}")
    code, _, err = called(capsys, monkeypatch, *words)
    assert code == 2
    assert err == f"`hydra.launcher.{knob.partition('=')[0]}` {message}.\n"
    assert not list(tmp_path.iterdir())


def test_runs_that_are_there_start_no_process_and_those_that_fail_are_told(tmp_path: Path) -> None:
    broken = tmp_path / "more" / "optimizer" / "broken.yaml"
    broken.parent.mkdir(parents=True)
    broken.write_text("_target_: keras.optimizers.Nonesuch\n")
    one = ("hydra/launcher=parallel", "hydra.launcher.n_processes=1")  # one import of TensorFlow
    words = (*SWEEP, "--config-dir", "more", "optimizer=broken,adam", *one)
    code, out, err = finished(tmp_path, *words)
    assert code == 1, err
    assert "1 trained, 0 were there already, 1 failed." in out
    assert "Nonesuch" in out
    assert err.count("finished in") == 1
    assert "[2/2]" in err

    code, out, err = finished(tmp_path, *SWEEP, "optimizer=adam", *IN_PARALLEL)
    assert code == 0, err
    assert "Nothing to train: 0 trained, 1 were there already" in out


@pytest.mark.slow
def test_a_sweep_in_parallel_has_the_records_and_the_table_of_one_in_one_process(
    tmp_path: Path,
) -> None:
    from mlflow import MlflowClient  # noqa: PLC0415  two seconds, for this test alone

    whole, cut = tmp_path / "whole", tmp_path / "cut"
    whole.mkdir()
    cut.mkdir()
    words = [*SWEEP, "tracker=mlflow", "seed=0,1", "loss_weights=equal,inverse_start"]
    code, table, err = finished(whole, *words)
    assert code == 0, err
    code, out, err = finished(cut, *words, *IN_PARALLEL)
    assert code == 0, err
    assert out == table
    assert err.count("finished in") == 4
    assert records(cut) == records(whole)
    for path in whole.glob("outputs/runs/*/history.csv"):
        assert (cut / path.relative_to(whole)).read_text() == path.read_text()

    shown = []
    for folder in (whole, cut):
        client = MlflowClient(f"sqlite:///{folder}/outputs/mlflow/mlflow.db")
        experiment = client.get_experiment_by_name("scratch")
        assert experiment is not None
        runs = client.search_runs([experiment.experiment_id])
        assert {run.info.status for run in runs} == {"FINISHED"}
        (parent,) = [run for run in runs if "sweep_parent" in run.data.tags]
        children = [run for run in runs if run is not parent]
        assert {run.data.tags["mlflow.parentRunId"] for run in children} == {parent.info.run_id}
        shown.append((parent.data.tags["sweep_parent"], {run.info.run_name for run in runs}))
    assert shown[0] == shown[1]


@pytest.mark.slow
def test_a_process_that_is_killed_loses_its_run_alone(tmp_path: Path) -> None:
    words = [*SWEEP, "tracker.checkpoint_seconds=0", "seed=0,1,2", "training.epochs=60"]
    process = started(tmp_path, [*words, *IN_PARALLEL])
    waited(process, tmp_path, 1)
    workers(process)[0].send_signal(signal.SIGKILL)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 1
    assert "2 trained, 0 were there already, 1 failed." in out
    assert "its process was ended by signal 9" in out
    assert err.count("failed: its process was ended by signal 9") == 1

    code, out, err = finished(tmp_path, *words, *IN_PARALLEL)
    assert code == 0, err
    assert "1 trained, 2 were there already, 0 failed." in out
    assert [each["status"] for each in records(tmp_path).values()] == ["finished"] * 3


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_command_that_is_stopped_leaves_no_process(
    number: signal.Signals, tmp_path: Path
) -> None:
    process = started(tmp_path, [*LONG, "seed=0,1", *IN_PARALLEL])
    waited(process, tmp_path, 2)
    left = psutil.Process(process.pid).children(recursive=True)
    assert len(workers(process)) == 2
    os.kill(process.pid, number)
    began = time.monotonic()
    _, err = process.communicate(timeout=60)
    if number != signal.SIGKILL:
        assert process.returncode == 130
        assert "The same command goes on where this one left off." in err
    assert "Traceback" not in err
    _, alive = psutil.wait_procs(left, timeout=15)
    assert not alive
    assert time.monotonic() - began < 15
    assert not records(tmp_path)
