"""`steelyard ui`: opens MLflow on this machine, with its telemetry and job runners off."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from steelyard.construct import Refused
from steelyard.tracking.mlflow import pages, uri

HERE_ALONE = "127.0.0.1"


def main(arguments: Sequence[str]) -> int:
    """Becomes MLflow's server; returns only if it cannot."""
    parser = argparse.ArgumentParser(
        prog="steelyard ui", description="Opens MLflow on this machine. Stop it with Ctrl-C."
    )
    parser.add_argument("--output", default="outputs", help="where the runs are (outputs)")
    parser.add_argument("--port", type=int, default=5000, help="of the address (5000)")
    given = parser.parse_args(list(arguments))
    output = Path(given.output)
    if not (output / "mlflow" / "mlflow.db").is_file():
        raise Refused(
            f"`output` must be a folder with runs in it, got {given.output!r}; "
            "make some first: steelyard train."
        )
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] = "false"  # 0.5 GB in place of 1.7
    here = f"http://{HERE_ALONE}:{given.port}"
    print(f"MLflow: {here} (starts in about 15 seconds; Ctrl-C stops it)")
    for study, page in pages(output).items():
        print(f"  {study}, the best runs first: {here}{page}")
    sys.stdout.flush()
    os.execv(
        sys.executable,
        [
            *(sys.executable, "-m", "mlflow", "server", "--workers", "1"),
            *("--host", HERE_ALONE, "--port", str(given.port)),
            *("--backend-store-uri", uri(output)),
            *("--artifacts-destination", str((output / "mlflow" / "artifacts").absolute())),
        ],
    )
