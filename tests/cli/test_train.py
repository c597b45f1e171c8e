"""The real command, end to end: runs, sweeps, failures, a kill and what comes after it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from steelyard import cli
from steelyard.cli import main, train
from steelyard.tracking.record import RunFolder
from steelyard.tracking.tracker import Tracker
from tests.cli.commands import TINY, called, finished, started
from tests.launch.beside import NOISE

PARAMETERS = {  # of the examples, at their own sizes
    "posts": 14_146_316,
    "question_answering": 1_000_052,
    "image_and_metadata": 4_084_401,
    "numbers_and_text": 673_409,
    "shared_trunk": 2_850,
    "separate_towers": 10_286,
}
SWEEP = ("train", "-m", *TINY, "seed=0,1", "loss_weights=equal,inverse_start")


def records(folder: Path) -> dict[str, dict[str, object]]:
    """Returns the records below a folder, by the run's name."""
    found = [json.loads(path.read_text()) for path in folder.glob("outputs/runs/*/record.json")]
    return {record["name"]: record for record in found}


@pytest.mark.parametrize(
    "words", [["--help"], ["train", "--help"], ["train", "--cfg", "job"], ["plan", "--help"]]
)
def test_help_and_configuration_import_no_tensorflow(words: list[str]) -> None:
    code = (
        "import sys, atexit\n"
        "atexit.register(lambda: print('heavy:', 'tensorflow' in sys.modules, file=sys.stderr))\n"
        f"sys.argv = ['steelyard', *{words!r}]\n"
        "from steelyard.cli import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0
    assert "heavy: False" in done.stderr
    assert len(done.stdout.splitlines()) > 5


def test_help_lists_every_group_and_option(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, _ = called(capsys, monkeypatch, "train", "--help")
    assert code == 0
    for line in (
        "weighting: aligned_mtl, cagrad, con_fig, db_mtl, dual_proj, dwa, edm",
        "loss_weights: equal, inverse_start, inverse_variance",
        "data: babi, canvas, clothing, clothing_numbers, dials, diamonds, digits",
        "model: auto, average, image_and_metadata, numbers_and_text, posts",
        "experiment: babi, book_image_and_metadata",
    ):
        assert line in out
    for key in ("epochs: 10", "learning_rate: 0.001", "checkpoint_seconds: 30.0"):
        assert key in out


def test_a_sweep_is_trained_once_and_shown_once(tmp_path: Path) -> None:
    from mlflow import MlflowClient  # noqa: PLC0415  two seconds, for this test alone

    code, out, err = finished(tmp_path, *SWEEP)
    assert code == 0, err
    assert "4 trained, 0 were there already, 0 failed." in out
    assert err.count("finished in") == 4
    assert set(records(tmp_path)) == {
        f"{w}-{s}" for w in ("equal", "inverse_start") for s in (0, 1)
    }

    began = {path: path.stat().st_mtime_ns for path in tmp_path.glob("outputs/runs/*/record.json")}
    code, out, err = finished(tmp_path, *SWEEP)
    assert code == 0, err
    assert "Nothing to train: 0 trained, 4 were there already" in out
    assert {path: path.stat().st_mtime_ns for path in began} == began

    client = MlflowClient(f"sqlite:///{tmp_path}/outputs/mlflow/mlflow.db")
    experiment = client.get_experiment_by_name("scratch")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id])
    parents = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    assert (len(runs), len(parents)) == (5, 1)
    assert {run.info.status for run in runs} == {"FINISHED"}
    child = next(run for run in runs if run.data.tags["mlflow.runName"] == "inverse_start-1")
    assert child.data.tags["mlflow.parentRunId"] == parents[0].info.run_id
    assert child.data.tags["weighting"] == "fixed"
    assert child.data.tags["seed"] == "1"
    assert child.data.params["training.epochs"] == "2"
    steps = client.get_metric_history(child.info.run_id, "valid/age/loss")
    assert [each.step for each in steps] == [0, 1]
    for name in ("train/income/weight", "valid/income/macro_f1", "test/gender/auc", "best/age/r2"):
        assert name in child.data.metrics
    artifacts = {each.path for each in client.list_artifacts(child.info.run_id)}
    assert {"curves.png", "config.yaml", "record.json"} <= artifacts


def test_a_failed_run_is_recorded_and_the_sweep_goes_on(tmp_path: Path) -> None:
    words = ["train", "-m", *TINY, "tracker=record", "optimizer=adam,broken"]
    broken = tmp_path / "more" / "optimizer" / "broken.yaml"
    broken.parent.mkdir(parents=True)
    broken.write_text("_target_: keras.optimizers.Nonesuch\n")
    code, out, err = finished(tmp_path, *words, "--config-dir", "more")
    assert code == 1, err
    assert "1 trained, 0 were there already, 1 failed." in out
    assert "traceback" in out
    failed = list(tmp_path.glob("outputs/runs/*/traceback.txt"))
    assert len(failed) == 1
    assert "Nonesuch" in failed[0].read_text()
    assert json.loads((failed[0].parent / "record.json").read_text())["status"] == "failed"


def test_what_a_power_cut_left_of_a_run_is_no_hindrance(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ("train", *NOISE, "tracker=record", "optimizer=sgd")
    assert called(capsys, monkeypatch, *words)[0] == 0
    (path,) = tmp_path.glob("outputs/runs/*/record.json")
    whole = json.loads(path.read_text())
    path.write_text("")
    (path.parent / "checkpoint.npz").write_bytes(b"PK")
    code, out, err = called(capsys, monkeypatch, *words)
    assert code == 0, err
    assert "1 trained, 0 were there already" in out
    assert "its checkpoint cannot be read, and it begins anew" in err
    assert json.loads(path.read_text())["test"] == whole["test"]


@pytest.mark.parametrize("is_stopped", [True, False])
def test_a_tracker_is_told_whether_a_sweep_was_cut_off(
    *,
    is_stopped: bool,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object) -> None:
        raise KeyboardInterrupt if is_stopped else RuntimeError

    told: list[bool] = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(train, "run", broken)
    monkeypatch.setattr(Tracker, "end_sweep", lambda *_, was_cut_off: told.append(was_cut_off))
    words = ("train", "-m", *NOISE, "tracker=record", "seed=0,1", "hydra/launcher=basic")
    code, _, _ = called(capsys, monkeypatch, *words)
    assert (code, told) == (130 if is_stopped else 1, [is_stopped])


def test_a_failure_that_cannot_be_written_down_is_told_all_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(RunFolder, "keep_fitted", full)
    monkeypatch.setattr(RunFolder, "fail", full)
    code, _, err = called(capsys, monkeypatch, "train", *NOISE, "tracker=record")
    assert (code, err.count("\n")) == (1, 1), err
    assert err.startswith("failed: OSError: [Errno 28] No space left on device (")


@pytest.mark.parametrize("optimizer", ["sgd", "broken"])
def test_that_nobody_reads_what_is_printed_stops_no_run_and_hides_no_failure(
    optimizer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `steelyard train -m ... 2>&1 | head -1` does, once it has seen its line."""
    broken = tmp_path / "more" / "optimizer" / "broken.yaml"
    broken.parent.mkdir(parents=True)
    broken.write_text("_target_: keras.optimizers.Nonesuch\n")
    monkeypatch.chdir(tmp_path)
    words = ["train", "-m", *NOISE, "tracker=record", "--config-dir", "more", "seed=0"]
    monkeypatch.setattr(sys, "argv", ["steelyard", *words, f"optimizer={optimizer}"])
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as out, os.fdopen(os.dup(writer), "w") as err:
        monkeypatch.setattr(sys, "stdout", out)
        monkeypatch.setattr(sys, "stderr", err)
        with pytest.raises(SystemExit) as stop:
            main()
    (record,) = records(tmp_path).values()
    told = {"sgd": (0, "finished"), "broken": (1, "failed")}
    assert (stop.value.code, record["status"]) == told[optimizer]


def test_a_table_that_nobody_reads_on_is_no_error_and_another_broken_pipe_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(arguments: list[str]) -> int:
        print("a line" if arguments else "")
        sys.stdout.flush() if arguments else None
        raise BrokenPipeError

    reader, writer = os.pipe()
    os.close(reader)
    monkeypatch.setattr(cli, "_called", broken)
    monkeypatch.setattr(sys, "argv", ["steelyard"])
    with pytest.raises(BrokenPipeError):
        main()
    with os.fdopen(writer, "w") as out:
        monkeypatch.setattr(sys, "stdout", out)
        monkeypatch.setattr(sys, "argv", ["steelyard", "methods"])
        with pytest.raises(SystemExit) as stop:
            main()
    assert stop.value.code == 0


@pytest.mark.slow
def test_a_killed_sweep_goes_on_where_it_was(tmp_path: Path) -> None:
    from mlflow import MlflowClient  # noqa: PLC0415

    whole, cut = tmp_path / "whole", tmp_path / "cut"
    whole.mkdir()
    cut.mkdir()
    words = [*SWEEP, "training.epochs=30", "tracker.checkpoint_seconds=0"]
    assert finished(whole, *words)[0] == 0

    process = started(cut, words)
    deadline = time.monotonic() + 120
    while not records(cut):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.05)
    time.sleep(1.0)  # into the next run
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    done_before = set(records(cut))
    assert 0 < len(done_before) < 4

    code, out, err = finished(cut, *words)
    assert code == 0, err
    assert f"{4 - len(done_before)} trained, {len(done_before)} were there already" in out
    for name, record in records(whole).items():
        assert records(cut)[name]["test"] == record["test"]
    client = MlflowClient(f"sqlite:///{cut}/outputs/mlflow/mlflow.db")
    experiments = [each.experiment_id for each in client.search_experiments()]
    runs = client.search_runs(experiments)
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert len(runs) == 5
    for run in runs:
        steps = [each.step for each in client.get_metric_history(run.info.run_id, "valid/age/loss")]
        assert steps in ([], list(range(30)))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("example", "more"),
    [
        ("posts", ["data.n_train=8"]),
        ("question_answering", ["data.n_train=64"]),
        ("image_and_metadata", ["data.n_train=8", "training.batch_size=4"]),
        ("numbers_and_text", ["data.n_train=64"]),
        ("shared_trunk", []),
        ("separate_towers", []),
    ],
)
def test_the_published_examples_run_at_their_own_sizes(
    example: str, more: list[str], tmp_path: Path
) -> None:
    code, out, err = finished(
        tmp_path, "train", f"experiment=book_{example}", "training.epochs=1", *more
    )
    assert code == 0, err
    assert "1 trained, 0 were there already, 0 failed" in out
    (record,) = records(tmp_path).values()
    assert record["n_parameters"] == PARAMETERS[example]
