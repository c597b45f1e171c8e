"""MLflow on a server: what it shows, and what becomes of runs when it vanishes."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from steelyard.tracking import tracker_guard
from steelyard.tracking.mlflow import MlflowTracker
from steelyard.tracking.mlflow_client import Place, client_of, experiment_of, find
from tests.cli.commands import TINY, called
from tests.tracking.mirror import CONFIG, STUDY, ended, identity, row

pytestmark = pytest.mark.slow  # a server takes ten seconds to begin


class Server:
    """A server of this machine, which can vanish and come back."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.folder = folder
        self.uri = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        command = [sys.executable, "-m", "mlflow", "server", "--workers", "1"]
        command += ["--host", "127.0.0.1", "--port", str(self.port)]
        command += ["--backend-store-uri", f"sqlite:///{self.folder}/server.db"]
        command += ["--artifacts-destination", str(self.folder / "kept")]
        environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        self.process = subprocess.Popen(
            command,
            cwd=self.folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{self.uri}/health", timeout=5).close()
                return
            except OSError:
                assert self.process.poll() is None
                time.sleep(0.2)
        pytest.fail("the server did not begin")

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    found = Server(tmp_path_factory.mktemp("server"))
    found.begin()
    yield found
    found.end()
    client_of.cache_clear()


def only(place: Place, key: str) -> Any:
    return find(place, experiment_of(place, STUDY), run_key=key)


def steps(place: Place, key: str, name: str) -> list[int]:
    history = client_of(place).get_metric_history(only(place, key).info.run_id, name)
    return sorted(each.step for each in history)


def test_a_sweep_is_shown_and_its_artifacts_are_where_the_server_keeps_them(
    server: Server, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder, record, history = ended(tmp_path / "records", "whole")
    history[1]["train/age/loss"] = float("nan")
    output = tmp_path / "outputs"
    tracker = MlflowTracker(write_seconds=0, tracking_uri=server.uri)
    place = tracker.place(output)
    tracker.begin_sweep(output, STUDY, "away", "steelyard train -m")
    watcher = tracker.begin(output, identity("whole", "away"), CONFIG)
    for epoch in range(2):
        watcher.log(epoch, row(epoch))
    watcher.end("finished", record, folder)
    for _ in range(2):
        tracker.mirror(output, identity("mirrored", "away"), folder, record, history)
    tracker.end_sweep(output, STUDY, "away", [{"name": "a", "status": "finished"}])
    parent = find(place, experiment_of(place, STUDY), sweep_parent="away")
    assert parent.info.status == "FINISHED"
    for key in ("whole", "mirrored"):
        run = only(place, key)
        assert run.info.status == "FINISHED"
        assert run.data.tags["mlflow.parentRunId"] == parent.info.run_id
        assert run.data.params["loss_weights.age"] == "0.25"
        assert steps(place, key, "valid/score") == [0, 1]
        assert steps(place, key, "best/score") == [0]
        assert run.info.artifact_uri.startswith("mlflow-artifacts:/")
    shown = {each.path for each in client_of(place).list_artifacts(run.info.run_id)}
    assert shown == {"config.yaml", "history.csv", "record.json"}
    assert len(list((server.folder / "kept").rglob("runs.json"))) == 1
    assert not output.exists()
    assert capfd.readouterr() == ("", "")


def test_a_server_that_vanishes_and_comes_back_misses_nothing(
    server: Server,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tracker_guard, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(tracker_guard, "PAUSES", 0)
    folder, record, history = ended(tmp_path / "records", "left")
    tracker = MlflowTracker(write_seconds=0, tracking_uri=server.uri)
    place = tracker.place(tmp_path)
    tracker.begin_sweep(tmp_path, STUDY, "gone", "steelyard train -m")
    runs = {key: tracker.begin(tmp_path, identity(key, "gone"), CONFIG) for key in ("left", "long")}
    for watcher in runs.values():
        watcher.log(0, row(0))
    server.end()
    runs["short"] = tracker.begin(tmp_path, identity("short", "gone"), CONFIG)
    for watcher in runs.values():
        watcher.log(1, row(1))
    runs["left"].end("finished", record, folder)
    server.begin()
    for key in ("long", "short"):
        runs[key].log(2, row(2))
        runs[key].end("finished", record, folder)
    tracker.end_sweep(tmp_path, STUDY, "gone", [{"name": "a", "status": "finished"}])
    statuses = {key: only(place, key).info.status for key in runs}
    assert statuses == {"left": "KILLED", "long": "FINISHED", "short": "FINISHED"}
    for key in ("long", "short"):
        assert steps(place, key, "valid/score") == ([0, 1, 2] if key == "long" else [1, 2])
        assert len(only(place, key).data.params) == 6
    told = capfd.readouterr().err
    assert "ConnectionRefusedError" in told
    assert told.count("\n") == 1
    tracker.begin_sweep(tmp_path, STUDY, "gone", "steelyard train -m")
    tracker.mirror(tmp_path, identity("left", "gone"), folder, record, history)
    assert only(place, "left").info.status == "FINISHED"
    assert steps(place, "left", "valid/score") == [0, 1]


def test_a_sweep_is_trained_where_no_server_is_and_shown_when_it_is_given_again(
    server: Server,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["train", "-m", *TINY, "tracker=mlflow", "study=poor", "seed=0,1"]
    code, out, err = called(capsys, monkeypatch, *words, "tracker.tracking_uri=http://127.0.0.1:9")
    assert code == 0
    assert "2 trained" in out
    assert err.count("MLflow at http://127.0.0.1:9 does not show every run: Connection") == 1
    assert not (tmp_path / "outputs" / "mlflow").exists()
    code, out, err = called(capsys, monkeypatch, *words, f"tracker.tracking_uri={server.uri}")
    assert code == 0
    assert "2 were there already" in out
    assert "MLflow" not in err
    place = Place(Path("outputs"), server.uri)
    client = client_of(place)
    runs = client.search_runs([experiment_of(place, "poor")], "tags.run_key LIKE '%'")
    assert [run.info.status for run in runs] == ["FINISHED", "FINISHED"]
