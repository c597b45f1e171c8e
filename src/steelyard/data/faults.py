"""What is wrong with examples, and what is doubtful, found before a network is trained on them."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pandas as pd

from steelyard.data.column import Column
from steelyard.data.effort import n_rows_of
from steelyard.data.labels import About, Splits, abouts, known_of
from steelyard.data.leaks import columns_of, leaks
from steelyard.data.source import PADDING, SPLITS, UNKNOWN, Examples, Source
from steelyard.data.table import Table

FEWEST = 5  # rows of a class in train
MOSTLY = 0.5  # of the labels missing, of the texts cut
DROWNS = 0.9  # of a sum at equal weights
FAR = 20  # standard deviations
UNEVEN = 0.1  # between the shares of a class in two splits
OFF = 0.1  # of the rows: a split that misses its share by more is told
UNREAD = 0.2  # of the words in valid
MOST_NAMES = 5  # that one line holds


def errors(source: Source) -> list[str]:
    """Returns a line for each thing that keeps the examples from being read."""
    found = _refusals(source.load, "train")
    if not (found and isinstance(source, Table)):
        return found
    try:  # one column at a time, so that all of them are told at once
        table = source.table()
        rows = source.split.cut(table)["train"]
    except ValueError:
        return found
    for name, column in source.inputs_from.items():
        found += _refusals(_read, column, name, table, rows)
    for name, target in source.tasks_from.items():
        if set(target.columns) <= set(table.columns):
            found += _refusals(target.read, name, table, rows)
    return list(dict.fromkeys(found))


def _read(column: Column, name: str, table: pd.DataFrame, train: np.ndarray) -> np.ndarray:
    return column.read(name, table, column.fit(name, table.iloc[train]))


def _refusals(act: Callable[..., object], *arguments: object) -> list[str]:
    try:
        act(*arguments)
    except ValueError as error:
        return [" ".join(str(error).split())]
    return []


def doubts(source: Source, splits: Splits) -> list[str]:
    """Returns a line for each thing that is doubtful about examples that can be read."""
    return [
        *leaks(source, splits),
        *_repeats(splits),
        *_sizes(source, splits),
        *(line for about in abouts(source.tasks, splits) for line in _labels(about, splits)),
        *_inputs(source, splits),
    ]


def _repeats(splits: Splits) -> Iterator[str]:
    """Tells the rows of valid and test that stand in an earlier split, labels and all."""
    rows = {split: _hashes(splits[split]) for split in SPLITS}
    seen = set(rows["train"])
    if len(seen) < len(rows["train"]) / 2:
        return  # rows that are alike are the rule here, and no copies of one another
    for split in SPLITS[1:]:
        n = sum(row in seen for row in rows[split])
        seen |= set(rows[split])
        if n:
            yield (
                f"{n:,} of {len(rows[split]):,} rows of {split} stand in an earlier split too, "
                "with the same labels"
            )


def _hashes(examples: Examples) -> list[int]:
    """Returns a number for each row; equal rows have equal numbers."""
    arrays = [array for named in examples for array in named.values()]
    return [hash(tuple(part.tobytes() for part in row)) for row in zip(*arrays, strict=True)]


def _sizes(source: Source, splits: Splits) -> Iterator[str]:
    """Tells the splits of a table that came out much smaller or larger than they were asked to."""
    if not isinstance(source, Table):
        return
    sizes = [n_rows_of(splits[split]) for split in SPLITS]
    valid, test = source.split.valid, source.split.test
    for split, size, share in zip(SPLITS, sizes, (1 - valid - test, valid, test), strict=True):
        found = size / sum(sizes)
        if abs(found - share) > OFF or found < share / 2:
            yield f"`split` gives {found:.0%} of the rows to {split} where {share:.0%} are wanted"


def _labels(about: About, splits: Splits) -> Iterator[str]:
    """Tells what is doubtful about a head's labels."""
    task, name = about.task, about.task.name
    known = known_of(task, splits["train"].targets[name])
    if about.labelled < MOSTLY:
        yield f"`{name}` has no label in {1 - about.labelled:.0%} of the rows of train"
    if DROWNS < about.share < 1:
        yield f"`{name}` takes {about.share:.1%} of a sum at equal weights: sweep loss weights"
    if not task.classes:
        if not np.ptp(known, axis=0).any():
            yield f"`{name}` has the same label in all rows of train"
        return
    if task.kind == "multilabel":
        counts = known.sum(axis=0).astype(int)
    else:
        counts = np.bincount(known.astype(int), minlength=len(task.classes))
    if task.kind == "multiclass" and (counts > 0).sum() == 1:
        yield f"`{name}` has one class only in train"
    pairs = zip(task.classes, counts, strict=True)
    rare = [f"{label!r} ({count})" for label, count in pairs if count < FEWEST]
    if rare:
        yield f"`{name}` has classes of fewer than {FEWEST} rows in train: {_some(rare)}"
    most = about.majority.get("train", 0.0)
    for split, share in about.majority.items():
        if abs(share - most) > UNEVEN:
            yield (
                f"`{name}` has its most frequent class in {share:.0%} of {split}, and in "
                f"{most:.0%} of train: stratify by it, or try another split.seed"
            )


def _inputs(source: Source, splits: Splits) -> Iterator[str]:
    """Tells what is doubtful about numbers and texts."""
    for each in source.inputs:
        train, valid = (splits[split].inputs[each.name] for split in ("train", "valid"))
        if each.kind == "numeric":
            yield from _far(columns_of(source, each), train.reshape(len(train), -1))
        elif each.kind == "text":
            full = float((train[:, -1] != PADDING).mean())
            if full > MOSTLY:
                words = f"{each.length} words in {full:.0%} of the rows"
                yield f"`{each.name}` fills its {words}, or is cut"
            unread = float((valid == UNKNOWN).sum() / max(1, (valid != PADDING).sum()))
            if unread > UNREAD:
                yield f"`{each.name}` has {unread:.0%} unknown words in valid"


def _far(names: Sequence[str], numbers: np.ndarray) -> Iterator[str]:
    values = numbers.astype("float64")
    spread = np.where(values.std(axis=0) > 0, values.std(axis=0), 1)
    far = (np.abs(values - values.mean(axis=0)) / spread).max(axis=0)
    told = [f"`{names[k]}` ({far[k]:.0f})" for k in np.argsort(-far, kind="stable") if far[k] > FAR]
    if told:
        yield (
            f"{_some(told)} {'has' if len(told) == 1 else 'have'} a value that many standard "
            "deviations from the mean in train"
        )


def _some(told: Sequence[str]) -> str:
    """Returns the first of many."""
    more = f" and {len(told) - MOST_NAMES} more" if len(told) > MOST_NAMES else ""
    return ", ".join(told[:MOST_NAMES]) + more
