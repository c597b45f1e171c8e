"""What came of the runs of a sweep, read from their records."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from omegaconf import DictConfig

from steelyard.construct import Refused
from steelyard.identity import identify, plain, source_of
from steelyard.tracking.record import RunFolder

Record = Mapping[str, Any]


def records_of(configs: Sequence[DictConfig]) -> list[Record | None]:
    """Returns the record of each run, be it finished, diverged or failed; None where none is.

    Args:
        configs: The runs' configurations, without Hydra's part.
    """
    found: list[Record | None] = []
    for config in configs:
        settings = plain(config)
        identity = identify(settings, source_of(json.dumps(settings["data"])))
        found.append(RunFolder(Path(config.output), identity.key).last())
    return found


def is_finished(record: Record | None) -> bool:
    """Returns whether a run came to its end, and not to infinity."""
    return record is not None and record["status"] == "finished"


def means_of(records: Sequence[Record | None], names: Sequence[str]) -> list[float] | None:
    """Returns the mean over a setting's runs of each measure; None where a run has no such number.

    Args:
        records: Of the runs.
        names: Such as `best/age/loss`, of validation at the best epoch.

    Raises:
        Refused: A measure is not in the records.
    """
    rows = []
    for record in records:
        if record is None or not is_finished(record):
            return None
        best = record["best"]
        for name in names:
            if name.removeprefix("best/") not in best:
                known = ", ".join(f"best/{each}" for each in best)
                raise Refused(f"`objectives` must be of a record's ({known}), got {name!r}.")
        rows.append([best[name.removeprefix("best/")] for name in names])
    if any(value is None for row in rows for value in row):
        return None
    return [fmean(values) for values in zip(*rows, strict=True)]
