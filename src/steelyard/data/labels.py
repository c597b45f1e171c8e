"""What the labels of heads are like, and how large that makes their losses before training."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from steelyard.data.source import SPLITS, Examples, Split
from steelyard.data.table import Table
from steelyard.task import HUBER_DELTA, Task

Splits = Mapping[Split, Examples]


class Scale(NamedTuple):
    """How large a head's loss is on train, before it learns and where it has learnt nothing."""

    zero: float  # where its last layer puts out zeros
    constant: float  # of the best constant


class About(NamedTuple):
    """What a head's labels are like."""

    task: Task
    labelled: float  # share of train
    majority: dict[Split, float]  # share of the class that is the most frequent in train
    scale: Scale
    share: float  # of a sum at equal weights, at the start


def abouts(tasks: Sequence[Task], splits: Splits) -> list[About]:
    """Returns what the labels of each head are like."""
    train = splits["train"].targets
    scales = [scale(task, train[task.name]) for task in tasks]
    found = []
    for task, each, share in zip(tasks, scales, shares(scales), strict=True):
        majority = {}
        if task.kind in {"binary", "multiclass"}:
            known = {split: known_of(task, splits[split].targets[task.name]) for split in SPLITS}
            most = np.bincount(known["train"].astype(int)).argmax()
            majority = {split: float((known[split] == most).mean()) for split in SPLITS}
        labelled = 1 - float(np.mean(task.is_missing(train[task.name])))
        found.append(About(task, labelled, majority, each, share))
    return found


def labels(source: Table) -> dict[str, tuple[Task, np.ndarray]]:
    """Returns each head of a table, and its targets [N, ...] of train, without its inputs."""
    table = source.table()
    train = source.split.cut(table)["train"]
    read = {name: target.read(name, table, train) for name, target in source.tasks_from.items()}
    return {name: (task, targets[train]) for name, (task, targets) in read.items()}


def known_of(task: Task, targets: np.ndarray) -> np.ndarray:
    """Returns the targets [N, ...] that bear a label."""
    known: np.ndarray = targets[~task.is_missing(targets)]
    return known


def scale(task: Task, targets: np.ndarray, *, is_raw: bool = False) -> Scale:
    """Returns how large a head's loss is.

    Args:
        task: The head.
        targets: Of train: [N], or [N, width].
        is_raw: Whether as if the targets were not standardized.
    """
    if is_raw:
        task = replace(task, standardize=False)
    known = known_of(task, targets).astype("float64")
    if task.kind == "multiclass":
        chances = task.best_constant(known)
        present = chances[chances > 0]
        entropy = float(-(present * np.log(present)).sum())
        return Scale(task.loss_scale * float(np.log(task.width)), task.loss_scale * entropy)
    scaled = task.scale(known)
    best = task.best_constant(known)
    zero = np.zeros_like(best) if task.kind == "regression" else np.full_like(best, 0.5)
    return Scale(*(task.loss_scale * _loss(task.keras_loss, scaled, each) for each in (zero, best)))


def shares(scales: Sequence[Scale]) -> list[float]:
    """Returns the share of each head in the sum of the losses at the start."""
    total = sum(each.zero for each in scales)
    return [each.zero / total if total else 1 / len(scales) for each in scales]


def _loss(name: str, targets: np.ndarray, outputs: np.ndarray) -> float:
    if name == "binary_crossentropy":
        chances = np.clip(outputs, 1e-7, 1 - 1e-7)  # as Keras clips them
        of_truth = targets * np.log(chances) + (1 - targets) * np.log(1 - chances)
        return float(-of_truth.mean())
    far = np.abs(targets - outputs)
    if name == "huber":
        straight = HUBER_DELTA * (far - HUBER_DELTA / 2)
        return float(np.where(far <= HUBER_DELTA, far**2 / 2, straight).mean())
    return float((far if name == "mae" else far**2).mean())
