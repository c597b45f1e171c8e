"""A run that was cut off goes on: all that the next epoch depends on, in one file."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from steelyard.training.weighed_model import WeighedModel

NAME = "checkpoint.npz"


def save(
    folder: Path, model: WeighedModel, best: list[np.ndarray], progress: dict[str, Any]
) -> None:
    """Writes the model's variables, its best weights so far, and how far it has come.

    The file is written under another name and renamed, so that it is whole whenever it is there.
    """
    arrays: dict[str, Any] = {f"now_{n}": np.asarray(each) for n, each in enumerate(model.state)}
    arrays |= {f"best_{n}": each for n, each in enumerate(best)}
    part = folder / f"{NAME}.part"
    with part.open("wb") as file:
        np.savez(file, progress=np.array(json.dumps(progress)), **arrays)
    os.replace(part, folder / NAME)


def load(folder: Path, model: WeighedModel) -> tuple[list[np.ndarray], dict[str, Any]] | None:
    """Puts the model where a checkpoint left it, and returns the best weights and the progress.

    Returns None where there is no checkpoint.
    """
    path = folder / NAME
    if not path.is_file():
        return None
    with np.load(path) as arrays:
        for n, variable in enumerate(model.state):
            variable.assign(arrays[f"now_{n}"])
        n_best = sum(name.startswith("best_") for name in arrays.files)
        best = [arrays[f"best_{n}"] for n in range(n_best)]
        return best, json.loads(str(arrays["progress"]))
