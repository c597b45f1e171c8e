"""Studies made by hand from the losses of each setting's runs."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from steelyard.analysis.study import Study


def made(
    losses: Mapping[str, Any],
    *,
    methods: Sequence[str] = (),
    n_seeds: int = 3,
    statuses: Mapping[tuple[str, int], str] | None = None,
    kind: str = "regression",
    constant: float = 1.0,
) -> Study:
    """Returns a study whose heads are called h0, h1, ...

    Args:
        losses: Of each setting, [K] or [seeds, K], on validation and test alike. The headline
            measure is 1 less the loss.
        methods: Which settings' weights move.
        n_seeds: Of the settings given by [K].
        statuses: Of `(setting, seed)`, where a run did not finish; its losses are left out.
        kind: Of all heads.
        constant: The loss of every head's best constant.
    """
    headline = {"regression": "r2", "binary": "auc"}[kind]
    runs, n_heads = [], 0
    for setting, given in losses.items():
        values = np.asarray(given, dtype="float64")
        values = np.tile(values, (n_seeds, 1)) if values.ndim == 1 else values
        n_heads = values.shape[1]
        for seed, row in enumerate(values):
            status = (statuses or {}).get((setting, seed), "finished")
            run: dict[str, Any] = {"setting": setting, "seed": seed, "status": status}
            run["weighting"] = setting if setting in methods else "fixed"
            for k, value in enumerate(row):
                loss = float(value) if status == "finished" else math.nan
                run |= {f"weight/h{k}": 1.0, f"constant/h{k}": constant}
                for split in ("valid", "test"):
                    run |= {f"{split}/h{k}/loss": loss, f"{split}/h{k}/{headline}": 1 - loss}
            runs.append(run)
    tasks = {f"h{k}": {"kind": kind, "unit": "", "classes": []} for k in range(n_heads)}
    table = pd.DataFrame(runs, columns=None if runs else ["setting", "seed", "status", "weighting"])
    return Study(name="made", runs=table, curves=pd.DataFrame(), data={"tasks": tasks})
