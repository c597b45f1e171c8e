"""`steelyard ui`: opens MLflow on this machine, with its telemetry and job runners off."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from omegaconf import OmegaConf

from steelyard.cli.compose import conf
from steelyard.cli.parser import Parser
from steelyard.construct import Refused, construct
from steelyard.tracking.mlflow_client import Place, pages
from steelyard.tracking.tracker_guard import reason_of

HERE_ALONE = "127.0.0.1"


def main(arguments: Sequence[str]) -> int:
    """Becomes MLflow's server, unless there is one already."""
    parser = Parser(
        prog="steelyard ui", description="Opens MLflow on this machine. Stop it with Ctrl-C."
    )
    parser.add_argument("--output", default="outputs", help="where the runs are (outputs)")
    parser.add_argument("--port", type=int, default=5000, help="of the address (5000)")
    given = parser.parse_args(list(arguments))
    place = construct(OmegaConf.load(conf() / "tracker" / "mlflow.yaml")).place(Path(given.output))
    if place.is_server:
        print(f"MLflow: {place.uri} (conf/tracker/mlflow.yaml says so; open it there)")
    else:
        _become_server(place, given.port)
    return 0


def _become_server(place: Place, port: int) -> NoReturn:
    if place.file and not place.file.is_file():
        raise Refused(
            f"`output` must be a folder with runs in it, got {str(place.output)!r}; "
            "make some first: steelyard train."
        )
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] = "false"  # 0.5 GB in place of 1.7
    try:
        shown = pages(place)
    except Exception as error:  # whatever its driver raises
        raise Refused(
            f"MLflow must have a database at {place.uri}, got {reason_of(error)}."
        ) from error
    here = f"http://{HERE_ALONE}:{port}"
    print(f"MLflow: {here} (starts in about 15 seconds; Ctrl-C stops it)")
    for study, page in shown.items():
        print(f"  {study}, the best runs first: {here}{page}")
    sys.stdout.flush()
    os.execv(
        sys.executable,
        [
            *(sys.executable, "-m", "mlflow", "server", "--workers", "1"),
            *("--host", HERE_ALONE, "--port", str(port)),
            *("--backend-store-uri", place.uri),
            *("--artifacts-destination", str(place.artifacts)),
        ],
    )
