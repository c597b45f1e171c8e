"""Where MLflow may be, and what becomes of a sweep where it cannot be there."""

import os
from pathlib import Path

import pytest

from steelyard.tracking.mlflow import MlflowTracker
from steelyard.tracking.mlflow_client import Place, client_of
from tests.cli.commands import called
from tests.tracking.mirror import CONFIG, STUDY, ended, identity, row


@pytest.mark.parametrize(
    "address",
    ["here", "http://", "http://host:port", "ftp://host", "sqlite:///here.db", "http://[::1"],
)
def test_refuses_what_is_no_address(address: str) -> None:
    with pytest.raises(ValueError, match="`tracking_uri` must be empty or the address of"):
        MlflowTracker(tracking_uri=address)


def test_an_address_that_is_none_is_told_in_one_line_and_nothing_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = called(capsys, monkeypatch, "train", "tracker.tracking_uri=here:5000")
    assert (code, out) == (2, "")
    assert "got 'here:5000'" in err
    assert err.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "address", ["postgresql://me:secret@host/runs", "postgresql://host/runs?password=secret"]
)
def test_refuses_a_password_which_every_record_would_tell(address: str) -> None:
    with pytest.raises(ValueError, match="`tracking_uri` must have no password") as told:
        MlflowTracker(tracking_uri=address)
    assert "secret" not in str(told.value)


def test_a_file_has_a_lock_and_artifacts_below_the_output_folder(tmp_path: Path) -> None:
    own = Place(tmp_path)
    assert own.uri == f"sqlite:///{tmp_path}/mlflow/mlflow.db"
    assert own.file == tmp_path / "mlflow" / "mlflow.db"
    other = Place(tmp_path / "runs", f"sqlite:///{tmp_path}/shared/all.db")
    with other.lock():
        assert [path.name for path in (tmp_path / "shared").iterdir()] == [".lock"]
    assert other.artifacts == tmp_path / "runs" / "mlflow" / "artifacts"


@pytest.mark.parametrize(
    ("address", "is_server"),
    [
        ("http://127.0.0.1:5000", True),
        ("https://host/mlflow", True),
        ("postgresql://host/runs", False),
        ("postgresql+psycopg2:///runs", False),
    ],
)
def test_what_is_elsewhere_leaves_no_file_here(
    address: str, is_server: bool, tmp_path: Path
) -> None:
    place = MlflowTracker(tracking_uri=address).place(tmp_path)
    assert (place.uri, place.is_server, place.file) == (address, is_server, None)
    with place.lock():
        assert not list(tmp_path.iterdir())


def told_of_a_sweep(output: Path, address: str) -> None:
    """Tells a tracker all that a sweep tells it; nothing is raised."""
    tracker = MlflowTracker(write_seconds=0, tracking_uri=address)
    folder, record, history = ended(output / "records", "old")
    tracker.begin_sweep(output, STUDY, "poor", "steelyard train -m")
    tracker.mirror(output, identity("old", "poor"), folder, record, history)
    for key in ("a", "b"):
        watcher = tracker.begin(output, identity(key, "poor"), CONFIG)
        watcher.log(0, row(0))
        watcher.end("finished", record, folder)
    tracker.end_sweep(output, STUDY, "poor", [{"name": "a", "status": "finished"}])


@pytest.mark.parametrize(
    ("address", "in_the_way", "why"),
    [
        ("http://127.0.0.1:9", "", "ConnectionRefusedError"),
        ("", "mlflow", "FileExistsError"),
        ("", "mlflow/mlflow.db", "file is not a database"),
    ],
)
def test_an_mlflow_that_fails_fails_no_sweep_and_is_told_of_once(
    address: str, in_the_way: str, why: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    if in_the_way:
        path = tmp_path / in_the_way
        path.parent.mkdir(exist_ok=True)
        path.write_text("no database" * 1000)
    told_of_a_sweep(tmp_path, address)
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("MLflow at ")
    assert why in err
    assert err.count("\n") == 1
    left = {path.name for path in tmp_path.iterdir()} - {"records"}
    assert left == ({"mlflow"} if in_the_way else set())


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_fails_no_sweep(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mlflow").mkdir(mode=0o555)
    told_of_a_sweep(tmp_path, "")
    err = capfd.readouterr().err
    assert "PermissionError" in err
    assert err.count("\n") == 1


def test_a_client_that_could_not_be_had_is_asked_for_again(tmp_path: Path) -> None:
    (tmp_path / "mlflow").write_text("in the way")
    with pytest.raises(OSError, match="mlflow"):
        client_of(Place(tmp_path))
    with pytest.raises(OSError, match="mlflow"):
        client_of(Place(tmp_path))
