"""Sweeps in MLflow: a parent for the runs, and an end for those whose process is no more."""

import os
import socket
from functools import cache
from typing import Any

import psutil

from steelyard.tracking.mlflow_client import Place, client_of, experiment_of, find


def open_parent(place: Place, study: str, sweep: str, command: str) -> str:
    """Returns the id of the parent of a sweep that begins, be it for another time."""
    client, experiment = client_of(place), experiment_of(place, study)
    with place.lock():
        found = find(place, experiment, sweep_parent=sweep)
        if found is not None:
            client.update_run(found.info.run_id, status="RUNNING")
            client.set_tag(found.info.run_id, "process", process_name())
            return str(found.info.run_id)
        tags = {
            "sweep_parent": sweep,
            "study": study,
            "process": process_name(),
            "command": command,
        }
        return str(client.create_run(experiment, tags=tags, run_name=f"sweep-{sweep}").info.run_id)


@cache
def parent_of(place: Place, study: str, sweep: str) -> str:
    """Returns the id of a sweep's parent, which is made if it is not there."""
    found = find(place, experiment_of(place, study), sweep_parent=sweep)
    return str(found.info.run_id) if found is not None else open_parent(place, study, sweep, "")


def process_name() -> str:
    """Returns this process's name: machine, number, and when it was started."""
    return _name(os.getpid())


@cache
def _name(number: int) -> str:
    return f"{socket.gethostname()}:{number}:{psutil.Process(number).create_time():.0f}"


def close_dead(place: Place, study: str, ended: str = "") -> None:
    """Closes the runs of processes of this machine that are no more.

    Args:
        place: Where runs are shown.
        study: Whose runs.
        ended: A sweep that is over, whose runs in this process are over too.
    """
    client, experiment = client_of(place), experiment_of(place, study)
    for run in client.search_runs([experiment], "attributes.status = 'RUNNING'"):
        is_over = ended and run.data.tags.get("sweep") == ended and _is_ours(run)
        if is_over or _is_dead(run):
            client.set_terminated(run.info.run_id, "KILLED")


def _is_ours(run: Any) -> bool:
    return bool(run.data.tags.get("process") == process_name())


def _is_dead(run: Any) -> bool:
    """Returns whether a run's process was one of this machine, and is no more."""
    machine, _, rest = run.data.tags.get("process", "").partition(":")
    if machine != socket.gethostname():
        return False
    number, _, started = rest.partition(":")
    try:
        return bool(abs(psutil.Process(int(number)).create_time() - float(started)) >= 1)
    except psutil.NoSuchProcess:
        return True
