"""Sweeps of runs beside each other in one process: each run is as it would be alone."""

import csv
import json
import os
import signal
import threading
import time
from collections import Counter, OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from steelyard.launch.grouping import populations
from steelyard.launch.population import Plan, Population
from steelyard.models.network import MERGES
from steelyard.run import Failed
from steelyard.training import course
from tests.cli.commands import TINY, called, finished, started
from tests.launch.beside import NOISE, Noted, settings
from tests.launch.test_parallel import records, waited

BESIDE = ("hydra/launcher=population", "hydra.launcher.n_together=3")
ONE_BY_ONE = ("hydra/launcher=basic",)
SWEEP = ("train", "-m", *TINY, "tracker=record")
FOR_LONG = (*SWEEP, "training.epochs=3000", "tracker.checkpoint_seconds=0", "seed=0,1")
TWO = (  # inputs of four and of five numbers
    "data.inputs_of={n: {_target_: steelyard.data.noise.NoiseInput, kind: numeric, "
    "shape: [4], vocabulary: 0}, m: {_target_: steelyard.data.noise.NoiseInput, "
    "kind: numeric, shape: [5], vocabulary: 0}}"
)


# What it is asked, and what it says


@pytest.mark.parametrize(
    ("knob", "message"),
    [
        ("n_together=-1", "must be at least 0, got -1"),
        ("n_together=two", "must be a whole number, got 'two'"),
        ("memory_gib=many", "must be a finite number of at least 0, got 'many'"),
        ("memory_gib=-1", "must be a finite number of at least 0, got -1"),
        ("memory_gib=nan", "must be a finite number of at least 0, got nan"),
        ("memory_gib=inf", "must be a finite number of at least 0, got inf"),
    ],
)
def test_a_knob_that_cannot_be_is_refused_in_one_line(
    knob: str,
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ("train", "-m", "seed=0,1", "hydra/launcher=population", f"hydra.launcher.{knob}")
    code, _, err = called(capsys, monkeypatch, *words)
    assert code == 2
    assert err == f"`hydra.launcher.{knob.partition('=')[0]}` {message}.\n"
    assert not list(tmp_path.iterdir())


def test_runs_of_other_data_or_batches_are_another_population(tmp_path: Path) -> None:
    sweep = [
        [f"seed={seed}", f"data.seed={data}", f"training.batch_size={size}", *more]
        for seed in (0, 1)
        for data, size, more in ((0, 64, []), (1, 64, ["weighting=dwa"]), (0, 32, []))
    ]
    configs = [settings(tmp_path, *words) for words in sweep]
    assert populations(configs) == [configs[0::3], configs[1::3], configs[2::3]]


@pytest.mark.slow
def test_a_sweep_has_the_records_and_the_table_of_one_run_after_another(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both by the command; among the runs is one that diverges, and each stops when it is to."""
    own = ("train", "-m", *NOISE, "tracker=record", "training.epochs=6", "training.patience=2")
    words = (*own, "optimizer=sgd", "optimizer.learning_rate=0.5,1e30", "seed=0,1")
    tables, lines, n_epochs = [], [], set()
    for n, launcher in enumerate((ONE_BY_ONE, BESIDE)):
        folder = tmp_path / str(n)
        folder.mkdir()
        monkeypatch.chdir(folder)
        monkeypatch.setattr(course, "_courses", OrderedDict())
        code, out, err = called(capsys, monkeypatch, *words, *launcher)
        assert code == 0, err
        tables.append(out)
        lines.append([line for line in err.splitlines() if not line.startswith("[")])
    assert tables[0] == tables[1]
    assert "4 trained, 0 were there already, 0 failed. Of these 2 diverged." in tables[0]
    first, second = records(tmp_path / "0"), records(tmp_path / "1")
    assert first == second
    assert Counter(each["status"] for each in first.values()) == {"finished": 2, "diverged": 2}
    for path in (tmp_path / "0").glob("outputs/runs/*/history.csv"):
        text = path.read_text()
        assert (tmp_path / "1" / path.relative_to(tmp_path / "0")).read_text() == text
        n_epochs.add(len(list(csv.DictReader(text.splitlines()))))
    assert len(n_epochs) > 1
    assert [line for line in lines[1] if line.startswith("Population")] == [
        line for line in lines[1] if line.startswith("Population 1 of 1: 4 runs, 3 at a time (")
    ]

    code, out, err = called(capsys, monkeypatch, *words, *BESIDE)
    assert (code, "Nothing to train: 0 trained, 4 were there already" in out) == (0, True)
    assert "Population" not in err


def test_less_memory_and_other_data_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def carried_out(threads: Any, plan: Plan) -> None:
        seen.append(([len(each.members) for each in plan.groups], plan.n_lanes))

    seen: list[tuple[list[int], int]] = []
    monkeypatch.setattr(Population, "_train", carried_out)
    small = (*NOISE, "model.trunk=[16]")  # whose runs can be stacked
    sweep = [[*small, f"data.seed={data}", f"seed={seed}"] for data in (0, 1) for seed in (0, 1, 2)]
    configs = [settings(tmp_path, *words) for words in sweep]
    Population(Noted(), n_together=2, memory_gib=1e-6).carry_out(configs)
    Population(Noted(), n_together=2, memory_gib=1.0).carry_out(configs[:3])
    Population(Noted(), n_together=5, memory_gib=1.0).carry_out(configs[:3])
    assert seen == [([1, 1, 1], 1), ([1, 1, 1], 1), ([2, 1], 2), ([1, 1, 1], 3)]
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("Population 1 of 2: 3 runs, 1 at a time and not 2, for 1e-06 GiB (")
    assert lines[1].startswith("Population 2 of 2: data.seed 1 and not 0: 3 runs, 1 at a time and")
    assert lines[2].startswith("Population 1 of 1: 3 runs, in stacks of up to 2, 2 at a time (")
    assert lines[2].endswith(" GiB each).")


def test_a_run_that_fails_is_told_and_the_others_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "more" / "optimizer" / "broken.yaml"
    broken.parent.mkdir(parents=True)
    broken.write_text("_target_: keras.optimizers.Nonesuch\n")
    monkeypatch.chdir(tmp_path)
    sweep = ("train", "-m", *NOISE, "tracker=record", "--config-dir", "more")
    words = (*sweep, "optimizer=broken,sgd", "seed=0,1", "hydra/launcher=population")
    code, out, err = called(capsys, monkeypatch, *words, "hydra.launcher.n_together=2")
    assert code == 1, err
    assert "2 trained, 0 were there already, 2 failed." in out
    assert out.count("Nonesuch") >= 2
    assert err.count("finished in") == 2
    assert err.count(": failed: ") == 2
    assert "Traceback" not in err
    assert Counter(each["status"] for each in records(tmp_path).values()) == {
        "finished": 2,
        "failed": 2,
    }


def test_a_network_that_cannot_be_built_is_told_and_the_others_go_on(tmp_path: Path) -> None:
    board = Noted()
    sweep = [[*NOISE, f"++{TWO}", "optimizer=sgd", f"model.merge={each}"] for each in MERGES]
    configs = [settings(tmp_path, *words) for words in sweep]
    Population(board, n_together=2, memory_gib=0).carry_out(configs)
    failed = [each for each in board.outcomes.values() if isinstance(each, Failed)]
    assert len(board.outcomes) == 2
    assert ["unequal widths" in str(each) for each in failed] == [True]


@pytest.mark.slow
def test_a_stop_leaves_a_checkpoint_of_the_last_epoch(tmp_path: Path) -> None:
    long = [*NOISE, "optimizer=sgd", "training.epochs=100000", "seed=9"]
    configs = [settings(tmp_path, *words) for words in (long, [*NOISE, "optimizer=sgd"])]
    for each in configs:
        each.tracker.checkpoint_seconds = 1e6
    with pytest.raises(KeyboardInterrupt):
        Population(Noted(fail_at=1), n_together=2, memory_gib=0).carry_out(configs)
    folders = [each.parent for each in tmp_path.glob("runs/*/config.yaml")]
    (cut,) = [each for each in folders if not (each / "record.json").is_file()]
    with np.load(cut / "checkpoint.npz") as arrays:
        assert json.loads(str(arrays["progress"]))["next_epoch"] > 0


def test_lanes_are_given_to_the_next_run_and_a_stop_ends_those_that_go(tmp_path: Path) -> None:
    board = Noted(fail_at=3)
    sweep = [[*NOISE, "optimizer=sgd", f"seed={seed}"] for seed in range(3)]
    long = [[*NOISE, "optimizer=sgd", "training.epochs=100000", "seed=9"]]
    waiting = [[*NOISE, "optimizer=sgd", "seed=10"], [*NOISE, "optimizer=sgd", "seed=11"]]
    configs = [settings(tmp_path, *words) for words in (*long, *sweep, *waiting)]
    n_threads = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        Population(board, n_together=2, memory_gib=0).carry_out(configs)
    assert threading.active_count() == n_threads
    assert board.lanes[:4] == [0, 1, 1, 1]  # the long run keeps its own
    assert len(board.outcomes) == 3
    assert board.n_epochs["equal-9"] < 100000
    assert board.n_epochs["equal-11"] == 0
    assert not list(tmp_path.glob("runs/*/traceback.txt"))


# A command that is cut off


def seen_by_mlflow(folder: Path) -> dict[str, Any]:
    """Returns the runs that MLflow shows below the sweep's own, by their keys."""
    from mlflow import MlflowClient  # noqa: PLC0415  two seconds, for those tests alone

    client = MlflowClient(f"sqlite:///{folder}/outputs/mlflow/mlflow.db")
    experiment = client.get_experiment_by_name("scratch")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id])
    assert {each.info.status for each in runs} == {"FINISHED"}
    (parent,) = [each for each in runs if "sweep_parent" in each.data.tags]
    children = [each for each in runs if each is not parent]
    assert {each.data.tags["mlflow.parentRunId"] for each in children} == {parent.info.run_id}
    keys = [each.data.tags["run_key"] for each in children]
    assert len(set(keys)) == len(keys)
    found = {}
    for each in children:
        told = client.get_metric_history(each.info.run_id, "valid/score")
        found[each.data.tags["run_key"]] = [
            (one.step, one.value) for one in sorted(told, key=lambda one: one.step)
        ]
    return found


@pytest.mark.slow
def test_a_command_that_is_killed_goes_on_bit_equal_and_mlflow_shows_each_run_once(
    tmp_path: Path,
) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    whole.mkdir()
    cut.mkdir()
    sweep = ["train", "-m", *TINY, "tracker=mlflow", "tracker.checkpoint_seconds=0"]
    words = [*sweep, "tracker.write_seconds=0", "training.epochs=30", "seed=0,1,2,3"]
    two = ("hydra/launcher=population", "hydra.launcher.n_together=2")
    code, _, err = finished(whole, *words, *two)
    assert code == 0, err
    process = started(cut, [*words, *two])
    waited(process, cut, 4)  # the last two go
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    n_done = len(records(cut))
    assert n_done < 4
    times = {path: path.stat().st_mtime for path in cut.glob("outputs/runs/*/record.json")}

    code, out, err = finished(cut, *words, *two)
    assert code == 0, err
    assert f"{4 - n_done} trained, {n_done} were there already, 0 failed." in out
    assert f"Population 1 of 1: {4 - n_done} runs" in err
    assert all(path.stat().st_mtime == when for path, when in times.items())
    assert records(cut) == records(whole)
    for path in whole.glob("outputs/runs/*/history.csv"):
        assert (cut / path.relative_to(whole)).read_text() == path.read_text()
    shown = [seen_by_mlflow(folder) for folder in (whole, cut)]
    assert shown[0].keys() == records(whole).keys()
    assert shown[0] == shown[1]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_command_that_is_stopped_ends_with_its_epoch_and_leaves_checkpoints(
    number: signal.Signals, tmp_path: Path
) -> None:
    process = started(tmp_path, [*FOR_LONG, *BESIDE])
    waited(process, tmp_path, 2)
    os.kill(process.pid, number)
    began = time.monotonic()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert time.monotonic() - began < 15
    assert "The same command goes on where this one left off." in err
    assert "Traceback" not in err
    assert not records(tmp_path)
    assert len(list(tmp_path.glob("outputs/runs/*/checkpoint.npz"))) == 2
