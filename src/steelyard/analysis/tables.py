"""Records to tables: a row a run, and a row an epoch, the same bytes for the same records."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

NAMES = ("run_key", "setting", "tuned", "across")
SHOWN_IN_CURVES = ("valid/", "train/")
MEASURES_IN_CURVES = ("loss", "weight", "loss_share", "gradient_norm", "gradient_share", "cosine")


def row_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what a study keeps of a run: no times, no paths, nothing that changes when remade."""
    row = {name: record.get(name) for name in ("run_key", "weighting", "status", "best_epoch")}
    for part, prefix in (("loss_weights", "weight"), ("best", "valid"), ("test", "test")):
        values = record.get(part) or {}
        row |= {f"{prefix}/{name}": value for name, value in values.items()}
    for part in ("start", "constant", "constant_valid"):
        row |= {f"{part}/{name}": value for name, value in (record.get(part) or {}).items()}
    return row


def curves_of(history: Sequence[Mapping[str, float]]) -> list[dict[str, float]]:
    """Returns the losses and weights of each epoch, and what the heads' gradients were like."""
    return [
        {
            name: value
            for name, value in row.items()
            if name == "epoch"
            or (name.startswith(SHOWN_IN_CURVES) and name.rpartition("/")[2] in MEASURES_IN_CURVES)
        }
        for row in history
    ]


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Writes rows, six significant digits a number, under another name first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    table = pd.DataFrame(list(rows))
    table.to_csv(part, index=False, float_format="%.6g", lineterminator="\n")
    part.replace(path)


def read_csv(path: Path) -> pd.DataFrame:
    """Returns the rows of a table that was written so."""
    return pd.read_csv(path, dtype=dict.fromkeys(NAMES, "string"))
