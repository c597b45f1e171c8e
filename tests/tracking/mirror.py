"""What the tests of MLflow give it, and ask of it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from steelyard.tracking.mlflow import MlflowTracker
from steelyard.tracking.mlflow_client import Place, client_of, experiment_of
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


def client(output: Path) -> Any:
    """Returns a client of an output folder's own database."""
    return client_of(Place(output))


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
    everywhere = [each.experiment_id for each in client(output).search_experiments()]
    runs: Sequence[Any] = client(output).search_runs(everywhere, f"tags.run_key = '{key}'")
    return runs


def only(output: Path, key: str) -> Any:
    (run,) = found(output, key)
    return run


def points(output: Path, key: str, name: str) -> list[tuple[int, float]]:
    """Returns a metric's steps and values."""
    history = client(output).get_metric_history(only(output, key).info.run_id, name)
    return sorted((each.step, each.value) for each in history)


def parents(output: Path, sweep: str) -> Sequence[Any]:
    experiment = experiment_of(Place(output), STUDY)
    runs: Sequence[Any] = client(output).search_runs([experiment], f"tags.sweep_parent = '{sweep}'")
    return runs


def artifacts_of(run: Any) -> Path:
    return Path(run.info.artifact_uri.removeprefix("file://"))
