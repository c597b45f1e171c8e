"""A study's report in MLflow: on the experiment's page, with its sweeps, and on its best runs."""

from collections.abc import Collection
from pathlib import Path

from steelyard.tracking.mlflow_client import Place, client_of, experiment_of

NOTE = "mlflow.note.content"  # what MLflow shows as a description, in Markdown
RECOMMENDED = "recommended"  # the tag of the runs of the recommended weights
LONGEST_NOTE = 5000  # characters


def show(place: Place, study: str, folder: Path, words: str, best: Collection[str]) -> None:
    """Shows a report: its answer as a description, its page and figures as artifacts.

    Args:
        place: Where runs are shown.
        study: The study; nothing is shown of one that has no experiment there.
        folder: Of the report.
        words: The answer, in Markdown.
        best: The keys of the runs of the recommended weights.
    """
    client = client_of(place)
    if client.get_experiment_by_name(study) is None:
        return
    experiment = experiment_of(place, study)
    client.set_experiment_tag(experiment, NOTE, words[:LONGEST_NOTE])
    runs = client.search_runs([experiment], max_results=50_000)
    for run in runs:
        tags, number = run.data.tags, run.info.run_id
        is_best = tags.get("run_key", "") in best
        if is_best and RECOMMENDED not in tags:
            client.set_tag(number, RECOMMENDED, "yes")
        elif RECOMMENDED in tags and not is_best:
            client.delete_tag(number, RECOMMENDED)
    sweeps = [run for run in runs if "sweep_parent" in run.data.tags]
    for run in sweeps[:1]:  # the latest
        client.set_tag(run.info.run_id, NOTE, words[:LONGEST_NOTE])
        for name in ("report.html", "report.md", "runs.csv"):
            if (folder / name).is_file():
                client.log_artifact(run.info.run_id, str(folder / name), "report")
        client.log_artifacts(run.info.run_id, str(folder / "figures"), "report/figures")
