"""MLflow as the mirror of the records: an experiment a study, a parent a sweep, a child a run."""

import json
import logging
import os
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
from filelock import FileLock

from steelyard.tracking.tracker import Identity, Tracker, Watcher

STATUS = {"finished": "FINISHED", "diverged": "FINISHED", "failed": "FAILED", "killed": "KILLED"}
BATCH = 1000  # metrics that MLflow takes at once
TABLE = "runs.json"
RANKING = "best/score_of_all_heads"  # mean loss over that of the best constant; less is better
LONGEST_PARAM = 6000  # characters; MLflow cuts what is longer, with a warning
SHOWN = ("config.yaml", "history.csv", "record.json", "curves.png", "traceback.txt")


def uri(output: Path) -> str:
    """Returns the address of the database; absolute, or MLflow would look where one stands."""
    return f"sqlite:///{(output / 'mlflow' / 'mlflow.db').absolute()}"


@cache
def _client(output: Path) -> Any:
    """Returns a client of the database, which is made if it is not there.

    Two processes that make it at once would break it, so it is made under a lock.
    """
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    from mlflow import MlflowClient  # noqa: PLC0415  two seconds, for those who track

    for name in ("mlflow", "alembic"):  # they tell of every table they make
        logging.getLogger(name).setLevel(logging.WARNING)
    folder = output / "mlflow"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):
        client = MlflowClient(tracking_uri=uri(output))
        client.search_experiments(max_results=1)
    return client


def _experiment(output: Path, study: str) -> str:
    client = _client(output)
    with FileLock(output / "mlflow" / ".lock"):
        found = client.get_experiment_by_name(study)
        if found is not None:
            if found.lifecycle_stage == "deleted":  # in the user interface
                client.restore_experiment(found.experiment_id)
            return str(found.experiment_id)
        artifacts = (output / "mlflow" / "artifacts" / study).absolute().as_uri()
        made = str(client.create_experiment(study, artifact_location=artifacts))
        client.set_experiment_tag(made, "mlflow.experimentKind", "custom_model_development")
        return made


def pages(output: Path) -> dict[str, str]:
    """Returns, for each study, the page of MLflow that shows its runs, the best first."""
    order = quote(f"metrics.`{RANKING}`")
    shown = {}
    for each in _client(output).search_experiments():
        query = f"workflowType=machine_learning&orderByKey={order}&orderByAsc=true"
        shown[each.name] = f"/#/experiments/{each.experiment_id}/runs?{query}"
    shown.pop("Default", None)
    return shown


def _find(output: Path, experiment: str, **tags: str) -> Any:
    """Returns the latest run with these tags; None if there is none."""
    wanted = " and ".join(f"tags.`{name}` = '{value}'" for name, value in tags.items())
    runs = _client(output).search_runs([experiment], wanted, max_results=1)
    return runs[0] if runs else None


@dataclass(frozen=True, kw_only=True)
class MlflowTracker(Tracker):
    """Shows runs in MLflow, in a sqlite file below the output folder.

    Attributes:
        write_seconds: The least time between two writes of a run's values.
    """

    write_seconds: float = 3.0

    def begin(self, output: Path, run: Identity, config: Mapping[str, Any]) -> "MlflowWatcher":
        return MlflowWatcher(output, _open(output, run, config), self.write_seconds)

    def mirror(
        self,
        output: Path,
        run: Identity,
        folder: Path,
        record: Mapping[str, Any],
        history: Sequence[Mapping[str, float]],
    ) -> None:
        shown = _find(output, _experiment(output, run.study), run_key=run.key)
        if shown is not None and shown.info.status == "FINISHED":
            return
        watcher = self.begin(output, run, record["config"])
        for row in history:
            watcher.log(int(row["epoch"]), {name: row[name] for name in row if name != "epoch"})
        watcher.end(record["status"], record, folder)

    def begin_sweep(self, output: Path, study: str, sweep: str, command: str) -> None:
        experiment = _experiment(output, study)
        _close_dead(output, experiment)
        _parent(output, experiment, study, sweep, command)

    def end_sweep(
        self, output: Path, study: str, sweep: str, rows: Sequence[Mapping[str, Any]]
    ) -> None:
        import pandas as pd  # noqa: PLC0415  imported with the client

        client = _client(output)
        parent = _parent(output, _experiment(output, study), study, sweep)
        has_failed = any(row["status"] == "failed" for row in rows)
        # `log_table` would add these rows to those of the last time.
        client.log_text(parent, pd.DataFrame(rows).to_json(orient="split", index=False), TABLE)
        client.set_tag(
            parent, "mlflow.loggedArtifacts", json.dumps([{"path": TABLE, "type": "table"}])
        )
        client.set_terminated(parent, "FAILED" if has_failed else "FINISHED")


class MlflowWatcher(Watcher):
    """Writes a run's values in batches."""

    def __init__(self, output: Path, run_id: str, write_seconds: float) -> None:
        self.client, self.run_id = _client(output), run_id
        self.write_seconds, self.written = write_seconds, time.monotonic()
        self.waiting: list[tuple[int, Mapping[str, float]]] = []
        history = self.client.get_metric_history(run_id, "valid/score")
        self.next_epoch = 1 + max((each.step for each in history), default=-1)

    def log(self, epoch: int, values: Mapping[str, float]) -> None:
        if epoch < self.next_epoch:
            return  # shown before the run was cut off
        self.waiting.append((epoch, values))
        if time.monotonic() - self.written >= self.write_seconds:
            self._write()

    def end(self, status: str, record: Mapping[str, Any], folder: Path) -> None:
        summary = _summary(record)
        if summary:
            self.waiting.append((0, summary))  # one step, so that MLflow draws bars
        self._write()
        for name in SHOWN:
            if (folder / name).is_file():
                self.client.log_artifact(self.run_id, str(folder / name))
        if "data_digest" in record:
            self.client.set_tag(self.run_id, "data_digest", record["data_digest"])
        if status == "diverged":
            self.client.set_tag(self.run_id, "diverged", "true")
        self.client.set_terminated(self.run_id, STATUS[status])

    def _write(self) -> None:
        from mlflow.entities import Metric  # noqa: PLC0415  imported with the client

        now = int(time.time() * 1000)
        metrics = [
            Metric(name, value, now, epoch)
            for epoch, values in self.waiting
            for name, value in values.items()
        ]
        for first in range(0, len(metrics), BATCH):
            self.client.log_batch(self.run_id, metrics=metrics[first : first + BATCH])
        self.waiting, self.written = [], time.monotonic()


def _open(output: Path, run: Identity, config: Mapping[str, Any]) -> str:
    """Returns the id of a run in MLflow: one that was cut off, or else a new one."""
    from mlflow.entities import Param  # noqa: PLC0415  imported with the client

    client, experiment = _client(output), _experiment(output, run.study)
    found = _find(output, experiment, run_key=run.key)
    if found is not None and found.info.status != "FINISHED":
        client.update_run(found.info.run_id, status="RUNNING")
        client.set_tag(found.info.run_id, "process", _process())
        return str(found.info.run_id)
    tags = {**run.tags, "study": run.study, "run_key": run.key, "process": _process()}
    if run.sweep:
        parent = _parent(output, experiment, run.study, run.sweep)
        tags |= {"mlflow.parentRunId": parent, "sweep": run.sweep}
    made = client.create_run(experiment, tags=tags, run_name=run.name)
    params = [Param(name, value[:LONGEST_PARAM]) for name, value in _flat(config)]
    client.log_batch(made.info.run_id, params=params)
    return str(made.info.run_id)


def _parent(output: Path, experiment: str, study: str, sweep: str, command: str = "") -> str:
    """Returns the id of a sweep's parent run, which is made if it is not there."""
    client = _client(output)
    with FileLock(output / "mlflow" / ".sweep.lock"):
        found = _find(output, experiment, sweep_parent=sweep)
        if found is not None:
            if command:
                client.update_run(found.info.run_id, status="RUNNING")
                client.set_tag(found.info.run_id, "process", _process())
            return str(found.info.run_id)
        tags = {"sweep_parent": sweep, "study": study, "process": _process(), "command": command}
        return str(client.create_run(experiment, tags=tags, run_name=f"sweep-{sweep}").info.run_id)


def _process() -> str:
    """Returns this process's name: machine, number, and when it was started."""
    started = psutil.Process().create_time()
    return f"{socket.gethostname()}:{os.getpid()}:{started:.0f}"


def _close_dead(output: Path, experiment: str) -> None:
    """Closes the runs of processes of this machine that are no more."""
    client = _client(output)
    for run in client.search_runs([experiment], "attributes.status = 'RUNNING'"):
        machine, _, rest = run.data.tags.get("process", "").partition(":")
        if machine != socket.gethostname():
            continue
        number, _, started = rest.partition(":")
        try:
            is_alive = abs(psutil.Process(int(number)).create_time() - float(started)) < 1
        except psutil.NoSuchProcess:
            is_alive = False
        if not is_alive:
            client.set_terminated(run.info.run_id, "KILLED")


def _flat(node: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Yields a configuration's values by dotted name."""
    if isinstance(node, Mapping) and node:
        for key, value in node.items():
            yield from _flat(value, f"{name}.{key}" if name else str(key))
    else:
        yield name, node if isinstance(node, str) else json.dumps(node)


def _summary(record: Mapping[str, Any]) -> dict[str, float]:
    """Returns the values that stand for a whole run: at the best epoch, on validation and test."""
    values = {f"best/{name}": value for name, value in record.get("best", {}).items()}
    values |= {f"test/{name}": value for name, value in record.get("test", {}).items()}
    constant = record.get("constant", {})
    losses = {head: record.get("best", {}).get(f"{head}/loss") for head in constant}
    if losses and all(losses.values()) and all(constant.values()):
        ratios = [losses[head] / constant[head] for head in constant]
        values[RANKING] = sum(ratios) / len(ratios)
    return {name: value for name, value in values.items() if value is not None}
