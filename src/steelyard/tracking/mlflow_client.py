"""Where MLflow is - a file below the output folder, a database, a server - and who asks it."""

import logging
import os
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, quote, urlsplit

from filelock import FileLock

SERVERS = ("http", "https")
DATABASES = ("postgresql", "mysql", "mssql")
FILE = "sqlite:///"
RANKING = "best/score_of_all_heads"  # mean loss over that of the best constant; less is better
SETTINGS = {  # where the user has set none: MLflow asks for four minutes before it gives up
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",  # seconds
    "PGCONNECT_TIMEOUT": "10",
}


class Place(NamedTuple):
    """Where runs are shown."""

    output: Path
    tracking_uri: str = ""  # empty for the file below the output folder

    @property
    def uri(self) -> str:
        """The address; absolute, or MLflow would look where one stands."""
        return self.tracking_uri or f"{FILE}{(self.output / 'mlflow' / 'mlflow.db').absolute()}"

    @property
    def is_server(self) -> bool:
        """Whether a server is asked, which knows its database and where artifacts go."""
        return urlsplit(self.uri).scheme in SERVERS

    @property
    def file(self) -> Path | None:
        """The file of the database; None where it is none of this machine's."""
        return Path(self.uri.removeprefix(FILE)) if self.uri.startswith(FILE) else None

    @property
    def artifacts(self) -> Path:
        """The folder of the artifacts, where no server decides."""
        return (self.output / "mlflow" / "artifacts").absolute()

    def lock(self) -> AbstractContextManager[Any]:
        """Returns the lock of a file; a server or a database has its own."""
        if self.file is None:
            return nullcontext()
        self.file.parent.mkdir(parents=True, exist_ok=True)
        return FileLock(self.file.with_name(".lock"))


def check_uri(text: str) -> None:
    """Refuses an address that is none, or that tells a password.

    Raises:
        ValueError: It is; `text` is empty for the file below the output folder.
    """
    try:
        address = urlsplit(text)
        scheme = address.scheme.partition("+")[0]  # without a database's driver
        is_server = scheme in SERVERS and bool(address.hostname) and address.port != 0
    except ValueError:  # a port that is no number
        address, scheme, is_server = urlsplit(""), "", False
    is_database = scheme in DATABASES and "://" in text
    is_file = text.startswith(FILE) and Path(text.removeprefix(FILE)).is_absolute()
    if text and not (is_server or is_database or is_file):
        raise ValueError(
            "`tracking_uri` must be empty or the address of an MLflow server (http://host:5000) or "
            f"of a database (postgresql://host/name, sqlite:////folder/mlflow.db), got {text!r}."
        )
    if address.password or "password" in parse_qs(address.query):
        raise ValueError(
            "`tracking_uri` must have no password, for every run's configuration tells it; give "
            "PGPASSWORD or MLFLOW_TRACKING_PASSWORD in the environment, got one in it."
        )


@cache
def client_of(place: Place) -> Any:
    """Returns a client of the database, which is made if it is not there.

    Two processes that make it at once would break it, so it is made under a lock.
    """
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    from mlflow import MlflowClient  # noqa: PLC0415  two seconds, for those who track

    for name in ("mlflow", "alembic"):  # they tell of every table they make
        logging.getLogger(name).setLevel(logging.WARNING)
    if not place.is_server:
        from mlflow.store.db import utils  # noqa: PLC0415  imported with the client

        utils.MAX_RETRY_COUNT = 1  # or it would wait for two minutes, with a warning for each try
    with place.lock():
        client = MlflowClient(tracking_uri=place.uri)
        client.search_experiments(max_results=1)
    return client


@cache
def experiment_of(place: Place, study: str) -> str:
    """Returns the id of a study's experiment, which is made if it is not there."""
    client = client_of(place)
    with place.lock():
        found = client.get_experiment_by_name(study)
        if found is not None:
            if found.lifecycle_stage == "deleted":  # in the user interface
                client.restore_experiment(found.experiment_id)
            return str(found.experiment_id)
        artifacts = None if place.is_server else (place.artifacts / study).as_uri()
        made = str(client.create_experiment(study, artifact_location=artifacts))
        client.set_experiment_tag(made, "mlflow.experimentKind", "custom_model_development")
        return made


def find(place: Place, experiment: str, **tags: str) -> Any:
    """Returns the latest run with these tags; None if there is none."""
    wanted = " and ".join(f"tags.`{name}` = '{value}'" for name, value in tags.items())
    runs = client_of(place).search_runs([experiment], wanted, max_results=1)
    return runs[0] if runs else None


def pages(place: Place) -> dict[str, str]:
    """Returns, for each study, the page of MLflow that shows its runs, the best first."""
    order = quote(f"metrics.`{RANKING}`")
    shown = {}
    for each in client_of(place).search_experiments():
        query = f"workflowType=machine_learning&orderByKey={order}&orderByAsc=true"
        shown[each.name] = f"/#/experiments/{each.experiment_id}/runs?{query}"
    shown.pop("Default", None)
    return shown
