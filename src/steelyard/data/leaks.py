"""Columns that give a head away by themselves, as `rating` does for `recommended`."""

from collections.abc import Iterator, Sequence

import numpy as np

from steelyard.data.labels import Splits
from steelyard.data.source import Input, Source
from steelyard.data.table import Table
from steelyard.task import Task

GIVEN_AWAY = 0.95  # AUC, or R2 of the ranks, of one column by itself
BINS, ROWS_A_BIN, MOST_ROWS = 64, 3, 20_000  # what a column is judged by
FEWEST = 5  # rows on each side of an AUC
MEASURED = {"regression", "box"}  # kinds of head whose labels are numbers


def leaks(source: Source, splits: Splits) -> Iterator[str]:
    """Yields a line for each column that gives a head away."""
    train, valid = splits["train"], splits["valid"]
    for each in source.inputs:
        if each.kind not in {"numeric", "category"}:
            continue
        columns, others = (_flat(split.inputs[each.name]).T for split in (train, valid))
        for name, column, other in zip(columns_of(source, each), columns, others, strict=True):
            bins = _binned(column, other, is_category=each.kind == "category")
            for task in source.tasks:
                targets = train.targets[task.name], valid.targets[task.name]
                score = _told_by(task, *bins, *targets)
                if score > GIVEN_AWAY:
                    what = "R2 of the ranks" if task.kind in MEASURED else "AUC"
                    yield f"`{name}` gives `{task.name}` away by itself ({what} {score:.3f})"


def columns_of(source: Source, given: Input) -> list[str]:
    """Returns the names of the numbers of an input."""
    n = int(np.prod(given.shape))
    columns: Sequence[str] = (given.name,)
    if isinstance(source, Table):
        columns = source.inputs_from[given.name].columns
    return list(columns) if len(columns) == n else [f"{columns[0]}[{k}]" for k in range(n)]


def _flat(array: np.ndarray) -> np.ndarray:
    return np.reshape(array, (len(array), -1))  # [N, columns]


def _binned(
    train: np.ndarray, valid: np.ndarray, *, is_category: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the bin of each value: its level, or its place among the quantiles of train."""
    if is_category:
        return train.astype(int), valid.astype(int)
    n_bins = min(BINS, max(2, len(train) // ROWS_A_BIN))
    edges = np.unique(np.quantile(train[:MOST_ROWS], np.linspace(0, 1, n_bins + 1)[1:-1]))
    return np.searchsorted(edges, train), np.searchsorted(edges, valid)


def _told_by(
    task: Task, bins: np.ndarray, others: np.ndarray, targets: np.ndarray, held_out: np.ndarray
) -> float:
    """Returns how well the mean label of a bin in train tells the labels in valid: R2, or AUC."""
    bins, labels = _labelled(task, bins, targets)
    others, truths = _labelled(task, others, held_out)
    if not len(bins) or not len(others):
        return 0.0
    is_number = task.kind in MEASURED
    pairs = zip(labels, truths, strict=True)
    scores = [_score(bins, others, *pair, is_number=is_number) for pair in pairs]
    known = [score for score in scores if not np.isnan(score)]
    return float((np.mean if task.kind == "multiclass" else np.max)(known)) if known else 0.0


def _labelled(task: Task, bins: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the bins [N] of the first labelled rows, and their labels [width, N]."""
    rows = np.flatnonzero(~task.is_missing(targets))[:MOST_ROWS]
    labels = targets[rows]
    if task.kind == "multiclass":
        labels = labels[:, None] == np.arange(task.width)
    return bins[rows], np.atleast_2d(labels.T)


def _score(
    bins: np.ndarray, others: np.ndarray, labels: np.ndarray, truth: np.ndarray, *, is_number: bool
) -> float:
    if is_number:
        ranks = np.sort(labels)
        labels, truth = (np.searchsorted(ranks, each) / len(ranks) for each in (labels, truth))
    n_bins = int(max(bins.max(), others.max())) + 1
    sizes = np.bincount(bins, minlength=n_bins)
    sums = np.bincount(bins, weights=labels, minlength=n_bins)
    means = np.where(sizes > 0, sums / np.maximum(sizes, 1), labels.mean())
    return (_r2 if is_number else _auc)(means[others], truth)


def _r2(guesses: np.ndarray, truth: np.ndarray) -> float:
    variance = float(np.var(truth))
    return 1 - float(np.mean((truth - guesses) ** 2)) / variance if variance else float("nan")


def _auc(guesses: np.ndarray, truth: np.ndarray) -> float:
    """Returns the chance that a guess is higher where the truth is 1; ties count half."""
    levels = np.unique(guesses, return_inverse=True)[1]
    ones = np.bincount(levels, weights=truth)
    zeros = np.bincount(levels) - ones
    if min(ones.sum(), zeros.sum()) < FEWEST:
        return float("nan")
    below = np.cumsum(zeros) - zeros / 2
    return float((ones * below).sum() / (ones.sum() * zeros.sum()))
