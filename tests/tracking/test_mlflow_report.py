"""A study's report in MLflow: its answer, its figures, and which runs are the best."""

from pathlib import Path

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

NOTE = "mlflow.note.content"


def reported(folder: Path) -> Path:
    (folder / "figures").mkdir(parents=True)
    (folder / "report.html").write_text("<html>")
    (folder / "figures" / "front.png").write_bytes(b"png")
    return folder


def test_a_report_stands_with_its_study_and_its_latest_sweep(output: Path, tmp_path: Path) -> None:
    TRACKER.begin_sweep(output, STUDY, "reported", "steelyard train -m")
    TRACKER.show_report(output, STUDY, reported(tmp_path / "posts"), "**Use** these", {"none"})
    (parent,) = parents(output, "reported")
    assert parent.data.tags[NOTE] == "**Use** these"
    experiment = client(output).get_experiment(experiment_of(Place(output), STUDY))
    assert experiment.tags[NOTE] == "**Use** these"
    kept = artifacts_of(parent) / "report"
    assert (kept / "report.html").read_text() == "<html>"
    assert (kept / "figures" / "front.png").read_bytes() == b"png"


def test_the_runs_of_the_recommended_weights_are_tagged_and_those_of_an_older_report_no_more(
    output: Path, tmp_path: Path
) -> None:
    for key in ("first", "second"):
        TRACKER.begin(output, identity(key), CONFIG)
    folder = reported(tmp_path / "posts")
    TRACKER.show_report(output, STUDY, folder, "", {"first"})
    assert only(output, "first").data.tags["recommended"] == "yes"
    TRACKER.show_report(output, STUDY, folder, "", {"second"})
    assert "recommended" not in only(output, "first").data.tags
    assert only(output, "second").data.tags["recommended"] == "yes"


def test_a_report_alone_makes_neither_a_database_nor_an_experiment(
    output: Path, tmp_path: Path
) -> None:
    TRACKER.show_report(tmp_path / "nowhere", STUDY, tmp_path, "", set())
    assert not (tmp_path / "nowhere").exists()
    TRACKER.show_report(output, "never trained", tmp_path, "", set())
    assert client(output).get_experiment_by_name("never trained") is None
