"""What is wrong with examples, and what is doubtful, found before a network is trained on them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from steelyard.data.source import PADDING, SPLITS, UNKNOWN, Examples, Input, Source, Split
from steelyard.data.table import Table
from steelyard.task import Task

GIVEN_AWAY = 0.95  # AUC, or R2 of the ranks, of one column by itself
BINS, ROWS_A_BIN, MOST_ROWS = 64, 3, 20_000  # what a column is judged by
FEWEST = 5  # rows of a class in train, and on each side of an AUC
MOSTLY = 0.5  # of the labels missing, of the texts cut
DROWNS = 0.9  # of a sum at equal weights
FAR = 20  # standard deviations
UNEVEN = 0.1  # between the shares of a class in two splits
OFF = 0.1  # of the rows: a split that misses its share by more is told
UNREAD = 0.2  # of the words in valid
MOST_NAMES = 5  # that one line holds
# Of `model=auto` on two cores: 18,595 rows with texts of 120 words took about 7 seconds an epoch.
SECONDS_A_ROW, SECONDS_A_PLACE = 5e-5, {"text": 3e-6, "image": 4e-7}  # a word, a pixel

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


def errors(source: Source) -> list[str]:
    """Returns a line for each thing that keeps the examples from being read."""
    found = _refusals(lambda: source.load("train"))
    if not (found and isinstance(source, Table)):
        return found
    try:  # one column at a time, so that all of them are told at once
        table = source.table()
        rows = source.split.cut(table)["train"]
    except ValueError:
        return found
    for name, column in source.inputs_from.items():
        fitted = column.fit
        found += _refusals(lambda: column.read(name, table, fitted(name, table.iloc[rows])))  # noqa: B023  called at once
    for name, target in source.tasks_from.items():
        if set(target.columns) <= set(table.columns):
            found += _refusals(lambda: target.read(name, table, rows))  # noqa: B023  called at once
    return list(dict.fromkeys(found))


def _refusals(act: Callable[[], object]) -> list[str]:
    try:
        act()
    except ValueError as error:
        return [" ".join(str(error).split())]
    return []


def doubts(source: Source, splits: Splits) -> list[str]:
    """Returns a line for each thing that is doubtful about examples that can be read."""
    return [
        *_leaks(source, splits),
        *_repeats(splits),
        *_sizes(source, splits),
        *(line for about in abouts(source.tasks, splits) for line in _labels(about, splits)),
        *_inputs(source, splits),
    ]


def abouts(tasks: Sequence[Task], splits: Splits) -> list[About]:
    """Returns what the labels of each head are like."""
    train = splits["train"].targets
    scales = [scale(task, train[task.name]) for task in tasks]
    found = []
    for task, each, share in zip(tasks, scales, shares(scales), strict=True):
        majority = {}
        if task.kind in {"binary", "multiclass"}:
            known = {split: _known(task, splits[split].targets[task.name]) for split in SPLITS}
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


def scale(task: Task, targets: np.ndarray, *, is_raw: bool = False) -> Scale:
    """Returns how large a head's loss is.

    Args:
        task: The head.
        targets: Of train: [N], or [N, width].
        is_raw: Whether as if the targets were not standardized.
    """
    if is_raw:
        task = replace(task, standardize=False, center=0.0, spread=1.0)
    known = _known(task, targets).astype("float64")
    if task.kind == "multiclass":
        chances = np.bincount(known.astype(int), minlength=task.width) / len(known)
        present = chances[chances > 0]
        entropy = float(-(present * np.log(present)).sum())
        return Scale(task.loss_scale * float(np.log(task.width)), task.loss_scale * entropy)
    scaled = task.scale(known)
    best = np.median(scaled, axis=0) if task.keras_loss == "mae" else scaled.mean(axis=0)
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
    if name == "huber":  # at Keras's delta of 1
        return float(np.where(far <= 1, far**2 / 2, far - 1 / 2).mean())
    return float((far if name == "mae" else far**2).mean())


def _known(task: Task, targets: np.ndarray) -> np.ndarray:
    known: np.ndarray = targets[~task.is_missing(targets)]
    return known


class Effort(NamedTuple):
    """What it takes to train on examples."""

    n_rows: dict[Split, int]
    n_bytes: int  # of all splits in memory
    seconds: float  # of an epoch of `model=auto`; right to a factor of three or so


def effort(inputs: Sequence[Input], splits: Splits) -> Effort:
    """Returns what it takes to train on examples."""
    arrays = [array for split in splits.values() for named in split for array in named.values()]
    n_rows = {split: _n_rows(splits[split]) for split in SPLITS}
    n_bytes = sum(array.nbytes for array in arrays)
    a_row = SECONDS_A_ROW
    for each in inputs:
        if each.kind in SECONDS_A_PLACE:
            a_row += SECONDS_A_PLACE[each.kind] * float(np.prod(each.shape[:2]))
    return Effort(n_rows, n_bytes, n_rows["train"] * a_row)


def _leaks(source: Source, splits: Splits) -> Iterator[str]:
    """Tells the columns that give a head away, as `rating` does for `recommended`."""
    train, valid = splits["train"], splits["valid"]
    for each in source.inputs:
        if each.kind not in {"numeric", "category"}:
            continue
        columns = np.reshape(train.inputs[each.name], (len(train.inputs[each.name]), -1)).T
        others = np.reshape(valid.inputs[each.name], (len(valid.inputs[each.name]), -1)).T
        for name, column, other in zip(_columns(source, each), columns, others, strict=True):
            bins = _binned(column, other, is_category=each.kind == "category")
            for task in source.tasks:
                targets = train.targets[task.name], valid.targets[task.name]
                score = _told_by(task, *bins, *targets)
                if score > GIVEN_AWAY:
                    what = "R2 of the ranks" if task.kind in {"regression", "box"} else "AUC"
                    yield f"`{name}` gives `{task.name}` away by itself ({what} {score:.3f})"


def _columns(source: Source, given: Input) -> list[str]:
    """Returns the names of the numbers of an input."""
    n = int(np.prod(given.shape))
    columns: Sequence[str] = (given.name,)
    if isinstance(source, Table):
        columns = source.inputs_from[given.name].columns
    return list(columns) if len(columns) == n else [f"{columns[0]}[{k}]" for k in range(n)]


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
    is_known, is_known_too = ~task.is_missing(targets), ~task.is_missing(held_out)
    bins, targets = bins[is_known][:MOST_ROWS], targets[is_known][:MOST_ROWS]
    others, held_out = others[is_known_too][:MOST_ROWS], held_out[is_known_too][:MOST_ROWS]
    if not len(bins) or not len(others):
        return 0.0
    if task.kind == "multiclass":
        classes = np.arange(task.width)
        targets, held_out = targets[:, None] == classes, held_out[:, None] == classes
    targets, held_out = targets.reshape(len(targets), -1), held_out.reshape(len(held_out), -1)
    scores = []
    for one, other in zip(targets.T, held_out.T, strict=True):
        if task.kind in {"regression", "box"}:
            ranks = np.sort(one)
            one, other = (np.searchsorted(ranks, each) / len(ranks) for each in (one, other))  # noqa: PLW2901
        n_bins = int(max(bins.max(), others.max())) + 1
        sizes = np.bincount(bins, minlength=n_bins)
        sums = np.bincount(bins, weights=one, minlength=n_bins)
        means = np.where(sizes > 0, sums / np.maximum(sizes, 1), one.mean())
        judge = _r2 if task.kind in {"regression", "box"} else _auc
        scores.append(judge(means[others], other))
    known = [score for score in scores if not np.isnan(score)]
    return float((np.mean if task.kind == "multiclass" else np.max)(known)) if known else 0.0


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
    arrays = [
        np.ascontiguousarray(array).reshape(len(array), -1)
        for named in examples
        for array in named.values()
    ]
    return [hash(tuple(part.tobytes() for part in row)) for row in zip(*arrays, strict=True)]


def _sizes(source: Source, splits: Splits) -> Iterator[str]:
    """Tells the splits of a table that came out much smaller or larger than they were asked to."""
    if not isinstance(source, Table):
        return
    sizes = [_n_rows(splits[split]) for split in SPLITS]
    valid, test = source.split.valid, source.split.test
    for split, size, share in zip(SPLITS, sizes, (1 - valid - test, valid, test), strict=True):
        found = size / sum(sizes)
        if abs(found - share) > OFF or found < share / 2:
            yield f"`split` gives {found:.0%} of the rows to {split} where {share:.0%} are wanted"


def _n_rows(examples: Examples) -> int:
    return len(next(iter(examples.targets.values())))


def _labels(about: About, splits: Splits) -> Iterator[str]:
    """Tells what is doubtful about a head's labels."""
    task, name = about.task, about.task.name
    known = _known(task, splits["train"].targets[name])
    if about.labelled < MOSTLY:
        yield f"`{name}` has no label in {1 - about.labelled:.0%} of the rows of train"
    if about.share > DROWNS and about.share < 1:
        yield f"`{name}` takes {about.share:.1%} of a sum at equal weights: sweep loss weights"
    if task.kind in {"regression", "box"}:
        if not np.ptp(known, axis=0).any():
            yield f"`{name}` has the same label in all rows of train"
        return
    if task.kind == "multilabel":
        counts = known.sum(axis=0).astype(int)
    else:
        counts = np.bincount(known.astype(int), minlength=max(task.width, len(task.classes)))
    if task.kind == "multiclass" and (counts > 0).sum() == 1:
        yield f"`{name}` has one class only in train"
    rare = [
        f"{label!r} ({count})"
        for label, count in zip(task.classes, counts, strict=True)
        if count < FEWEST
    ]
    if rare:
        yield f"`{name}` has classes of fewer than {FEWEST} rows in train: {_some(rare)}"
    for split, share in about.majority.items():
        if abs(share - about.majority["train"]) > UNEVEN:
            yield (
                f"`{name}` has its most frequent class in {share:.0%} of {split}, and in "
                f"{about.majority['train']:.0%} of train: stratify by it, or try another split.seed"
            )


def _inputs(source: Source, splits: Splits) -> Iterator[str]:
    """Tells what is doubtful about numbers and texts."""
    for each in source.inputs:
        train, valid = (splits[split].inputs[each.name] for split in ("train", "valid"))
        if each.kind == "numeric":
            yield from _far(_columns(source, each), train.reshape(len(train), -1))
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
