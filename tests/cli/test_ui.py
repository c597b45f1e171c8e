"""`steelyard ui`: a server of one's own, or the address of one that is there."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from steelyard.cli import ui
from steelyard.tracking.mlflow_client import Place, client_of, experiment_of
from tests.cli.commands import called


@pytest.fixture
def conf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of configuration whose tracker is in a file that a test writes."""
    folder = tmp_path / "conf" / "tracker"
    folder.mkdir(parents=True)
    monkeypatch.setattr(ui, "conf", lambda: tmp_path / "conf")
    return folder / "mlflow.yaml"


def configure(path: Path, address: str) -> None:
    target = "steelyard.tracking.mlflow.MlflowTracker"
    path.write_text(f'_target_: {target}\ntracking_uri: "{address}"\n')


def test_a_server_that_is_there_is_named_and_none_is_begun(
    conf: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(conf, "http://host:5000")
    code, out, err = called(capsys, monkeypatch, "ui")
    assert (code, err) == (0, "")
    assert out == "MLflow: http://host:5000 (conf/tracker/mlflow.yaml says so; open it there)\n"


def test_an_address_that_is_none_is_refused(
    conf: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(conf, "host")
    code, _, err = called(capsys, monkeypatch, "ui")
    assert code == 2
    assert "`tracking_uri` must be empty or the address of" in err
    assert err.count("\n") == 1


def test_a_file_that_is_no_database_is_told_in_one_line(
    conf: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "mine.db"
    path.write_text("no database" * 1000)
    configure(conf, f"sqlite:///{path}")
    code, out, err = called(capsys, monkeypatch, "ui")
    assert (code, out) == (2, "")
    assert "file is not a database" in err
    assert err.count("\n") == 1


@pytest.mark.slow
def test_a_database_is_served_on_this_machine_alone(
    conf: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    address = f"sqlite:///{tmp_path}/shared.db"
    configure(conf, address)
    experiment_of(Place(Path("outputs"), address), "posts")
    client_of.cache_clear()
    begun: list[Any] = []
    monkeypatch.setattr(os, "execv", lambda *words: begun.extend(words))
    code, out, _ = called(capsys, monkeypatch, "ui", "--port", "5001")
    assert code == 0
    assert "posts, the best runs first: http://127.0.0.1:5001/#/experiments/1/" in out
    program, words = begun
    assert program == sys.executable
    assert words[words.index("--host") + 1] == "127.0.0.1"
    assert words[words.index("--backend-store-uri") + 1] == address
