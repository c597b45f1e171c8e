"""MLflow as the mirror of the records: an experiment a study, a parent a sweep, a child a run."""

import json
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar
from weakref import WeakSet

from steelyard.construct import flat
from steelyard.tracking import mlflow_report
from steelyard.tracking.mlflow_client import (
    RANKING,
    Place,
    check_uri,
    client_of,
    experiment_of,
    find,
)
from steelyard.tracking.mlflow_sweep import close_dead, open_parent, parent_of, process_name
from steelyard.tracking.tracker import Identity, Tracker, Watcher
from steelyard.tracking.tracker_guard import Guard, Guarded, guard_of

STATUS = {"finished": "FINISHED", "diverged": "FINISHED", "failed": "FAILED", "killed": "KILLED"}
TABLE = "runs.json"
PAUSES = 50  # times as long as writing takes: it is to take 2 % of the time at most
LONGEST_PAUSE = 60.0  # seconds
LONGEST_PARAM = 6000  # characters; MLflow cuts what is longer, with a warning
SHOWN = ("config.yaml", "history.csv", "record.json", "curves.png", "traceback.txt")


@dataclass(frozen=True, kw_only=True)
class MlflowTracker(Tracker):
    """Shows runs in MLflow: in a sqlite file below the output folder, or elsewhere.

    What MLflow fails to show fails no run, for its record is written without it.

    Attributes:
        write_seconds: The least time between two writes of a run's values; it is longer where many
            runs train together.
        tracking_uri: The address of an MLflow server or of a database; empty for the sqlite file.
    """

    write_seconds: float = 3.0
    tracking_uri: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_uri(self.tracking_uri)

    def begin(self, output: Path, run: Identity, config: Mapping[str, Any]) -> Watcher:
        place = self.place(output)

        def begin() -> MlflowWatcher:
            return MlflowWatcher(place, *_open(place, run, config), self.write_seconds)

        return Guarded(_guard(place), run.sweep or run.key, begin)

    def mirror(
        self,
        output: Path,
        run: Identity,
        folder: Path,
        record: Mapping[str, Any],
        history: Sequence[Mapping[str, float]],
    ) -> None:
        place = self.place(output)

        def mirror() -> None:
            shown = find(place, experiment_of(place, run.study), run_key=run.key)
            if shown is not None and shown.info.status == "FINISHED":
                return
            begun = _open(place, run, record["config"], shown)
            watcher = MlflowWatcher(place, *begun, float("inf"))
            for row in history:
                watcher.log(int(row["epoch"]), {name: row[name] for name in row if name != "epoch"})
            watcher.end(record["status"], record, folder)

        _guard(place).ask(run.sweep or run.key, mirror)

    def begin_sweep(self, output: Path, study: str, sweep: str, command: str) -> None:
        place = self.place(output)

        def begin() -> None:
            for known in (experiment_of, parent_of):
                known.cache_clear()  # they may have been deleted in the user interface
            close_dead(place, study)
            open_parent(place, study, sweep, command)

        _guard(place).begin()
        _guard(place).ask(sweep, begin)

    def end_sweep(
        self,
        output: Path,
        study: str,
        sweep: str,
        rows: Sequence[Mapping[str, Any]],
        *,
        was_cut_off: bool = False,
    ) -> None:
        has_failed = any(row["status"] == "failed" for row in rows)
        status = "KILLED" if was_cut_off else "FAILED" if has_failed else "FINISHED"
        place = self.place(output)
        _guard(place).wake()  # it is the last time
        _guard(place).ask(sweep, lambda: _end_sweep(place, study, sweep, rows, status))

    def show_report(
        self, output: Path, study: str, folder: Path, words: str, best: Collection[str]
    ) -> None:
        place = self.place(output)
        if place.file is None or place.file.is_file():  # a report alone makes no database
            _guard(place).ask(study, lambda: mlflow_report.show(place, study, folder, words, best))

    def place(self, output: Path) -> Place:
        """Returns where the runs of an output folder are shown."""
        return Place(output, self.tracking_uri)


class MlflowWatcher(Watcher):
    """Writes a run's values in batches.

    Attributes:
        open: Those of this process; one that nobody holds any more is none of them.
        took: Seconds that the last write took.
    """

    open: ClassVar[WeakSet["MlflowWatcher"]] = WeakSet()
    took: ClassVar[float] = 0.0

    def __init__(self, place: Place, run_id: str, next_epoch: int, write_seconds: float) -> None:
        self.client, self.run_id, self.next_epoch = client_of(place), run_id, next_epoch
        self.write_seconds, self.written = write_seconds, time.monotonic()
        MlflowWatcher.open.add(self)
        self.waiting: list[tuple[int, int, Mapping[str, float]]] = []  # epoch, when, values

    def log(self, epoch: int, values: Mapping[str, float]) -> None:
        if epoch < self.next_epoch:
            return  # shown before the run was cut off
        self.waiting.append((epoch, _now(), values))
        if time.monotonic() - self.written >= max(self.write_seconds, self._fair_seconds):
            self._write({})

    @property
    def _fair_seconds(self) -> float:
        """Seconds between two writes with which all open runs spend little on them together."""
        if not self.write_seconds:
            return 0.0
        return min(PAUSES * self.took * len(self.open), LONGEST_PAUSE)

    def end(self, status: str, record: Mapping[str, Any], folder: Path) -> None:
        summary = _summary(record)
        if summary:
            self.waiting.append((0, _now(), summary))  # one step, so that MLflow draws bars
        tags = {"data_digest": record["data_digest"]} if "data_digest" in record else {}
        self._write({**tags, "diverged": "true"} if status == "diverged" else tags)
        for name in SHOWN:
            if (folder / name).is_file():
                self.client.log_artifact(self.run_id, str(folder / name))
        self.client.set_terminated(self.run_id, STATUS[status])
        MlflowWatcher.open.discard(self)

    def _write(self, tags: Mapping[str, str]) -> None:
        """Writes what waits; where that fails it waits on, and what was written stays single."""
        from mlflow.entities import Metric, RunTag  # noqa: PLC0415  imported with the client

        self.written = time.monotonic()
        metrics = [
            Metric(name, value, when, epoch)
            for epoch, when, values in self.waiting
            for name, value in values.items()
        ]
        told = [RunTag(name, value) for name, value in tags.items()]
        self.client.log_batch(self.run_id, metrics=metrics, tags=told)
        MlflowWatcher.took = time.monotonic() - self.written
        self.waiting = []


def _guard(place: Place) -> Guard:
    return guard_of(f"MLflow at {place.uri}")


def _now() -> int:
    return int(time.time() * 1000)


def _open(
    place: Place, run: Identity, config: Mapping[str, Any], found: Any = None
) -> tuple[str, int]:
    """Returns the id of a run in MLflow - one that was cut off, or else a new one - and its epoch.

    Args:
        place: Where runs are shown.
        run: Which run it is.
        config: Its configuration.
        found: The run in MLflow, where it is known.
    """
    from mlflow.entities import Param  # noqa: PLC0415  imported with the client

    client, experiment = client_of(place), experiment_of(place, run.study)
    params = [Param(name, _text(value)[:LONGEST_PARAM]) for name, value in flat(config)]
    found = found or find(place, experiment, run_key=run.key)
    if found is not None and found.info.status != "FINISHED":
        client.update_run(found.info.run_id, status="RUNNING")
        client.set_tag(found.info.run_id, "process", process_name())
        if not found.data.params:  # it was cut off between two calls
            client.log_batch(found.info.run_id, params=params)
        history = client.get_metric_history(found.info.run_id, "valid/score")
        return str(found.info.run_id), 1 + max((each.step for each in history), default=-1)
    tags = {**run.tags, "study": run.study, "run_key": run.key, "process": process_name()}
    if run.sweep:
        parent = parent_of(place, run.study, run.sweep)
        tags |= {"mlflow.parentRunId": parent, "sweep": run.sweep}
    made = client.create_run(experiment, tags=tags, run_name=run.name)
    client.log_batch(made.info.run_id, params=params)
    return str(made.info.run_id), 0


def _end_sweep(
    place: Place, study: str, sweep: str, rows: Sequence[Mapping[str, Any]], status: str
) -> None:
    import pandas as pd  # noqa: PLC0415  imported with the client

    client, parent = client_of(place), parent_of(place, study, sweep)
    # `log_table` would add these rows to those of the last time.
    client.log_text(parent, pd.DataFrame(rows).to_json(orient="split", index=False), TABLE)
    tables = json.dumps([{"path": TABLE, "type": "table"}])
    client.set_tag(parent, "mlflow.loggedArtifacts", tables)
    client.set_terminated(parent, status)
    close_dead(place, study, ended=sweep)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


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
