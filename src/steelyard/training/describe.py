"""What a reader must know of data before believing a number: sizes, labels, constant guesses."""

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from steelyard.data.source import SPLITS, Examples, Split
from steelyard.task import Task
from steelyard.training.measure import constant_outputs


def describe(tasks: tuple[Task, ...], examples: Examples, train: Examples) -> dict[str, Any]:
    """Returns what a reader must know of a split: its size, labels, and what a constant scores."""
    about: dict[str, Any] = {"examples": len(next(iter(examples.targets.values())))}
    for task in tasks:
        targets = examples.targets[task.name]
        known = targets[~task.is_missing(targets)].astype("float64")
        guess = constant_outputs(task, train.targets[task.name], 1)[0]
        about[task.name] = {"labelled": len(known)}
        if task.kind in {"regression", "box"} and len(known):
            center = task.unscale(guess)
            about[task.name] |= {
                "mean": float(known.mean()),
                "deviation": float(np.sqrt(known.reshape(len(known), -1).var(axis=0).mean())),
                "constant_rmse": float(
                    np.sqrt(np.mean((known.reshape(len(known), -1) - center) ** 2))
                ),
            }
        elif len(known):
            about[task.name]["majority"] = majority_share(known)
    return about


def majority_share(known: np.ndarray) -> float:
    """Returns the share of the most frequent class [N]; of labels [N, width], the mean share."""
    columns = known.reshape(len(known), -1).T
    counts = [np.unique(column, return_counts=True)[1] for column in columns]
    return float(np.mean([each.max() / len(known) for each in counts]))


def digest(splits: Mapping[Split, Examples]) -> str:
    """Returns the hash of all examples."""
    found = hashlib.sha256()
    for split in SPLITS:
        for arrays in splits[split]:
            for name in sorted(arrays):
                found.update(f"{split}/{name}/{arrays[name].dtype}/{arrays[name].shape}".encode())
                found.update(np.ascontiguousarray(arrays[name]).tobytes())
    return found.hexdigest()[:16]
