"""What a table seems to be for: its columns, heads and split as a configuration, with reasons."""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from omegaconf import OmegaConf

from steelyard.data.column import as_labels
from steelyard.data.guess import guess
from steelyard.data.guess_heads import Head, check_head, choose_heads, heads_of
from steelyard.data.names import UNWRITABLE, Names
from steelyard.data.reading import SEPARATORS
from steelyard.data.seen import FEW_NUMBERS, LEFT_OUT, Finder, Guess

START_BYTES = 1 << 16  # of a file, which hold its header
NUMBER = re.compile(r"-?\d+(?:\.\d+)*")  # pandas numbers a doubled one: 1.5.1
N_FOLDS = 10
MANY_ROWS = 10_000  # of which a tenth suffices to choose by
NUMBERS = "numbers"  # the input that several columns of numbers make


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What a table seems to be for.

    Attributes:
        guesses: Of each column.
        heads: What to predict.
        is_guess: Whether the heads were guessed too.
        split: How the rows are split, in words.
        settings: The configuration of a `Table`.
    """

    guesses: tuple[Guess, ...]
    heads: tuple[Head, ...]
    is_guess: bool
    split: str
    settings: dict[str, Any]


def draft(
    table: pd.DataFrame,
    path: str,
    separator: str,
    heads: Sequence[str] = (),
    folder_of: Finder = lambda path: "",
) -> Draft:
    """Returns what a table seems to be for.

    Args:
        table: The table, its index the rows of the file.
        path: Of its file.
        separator: What stands between two of its columns.
        heads: Columns to predict; guessed if there are none.
        folder_of: Returns the folder in which a path leads to an image; empty if there is none.

    Raises:
        ValueError: A column cannot be predicted, or none is left to predict from.
    """
    names = [str(column) for column in table.columns]
    if all(NUMBER.fullmatch(name) for name in names):
        raise ValueError(f"`{path}` must have names in its first row, got numbers: {names[0]}.")
    guesses = tuple(guess(table[column], folder_of) for column in table.columns)
    wanted = list(dict.fromkeys(heads)) or choose_heads(guesses)
    if not wanted:
        raise ValueError(f"`{path}` must have a column that can be predicted, got none.")
    for column in wanted:
        check_head(column, guesses)
    left = [each for each in guesses if each.column not in wanted]
    inputs = [each for each in left if each.kind != LEFT_OUT]
    if not inputs:
        raise ValueError(f"`{path}` must have a column to predict from, got none.")
    group = _group(table, left)
    given = Names()
    found = tuple(heads_of(table, wanted, group, given))
    split, why = _split(table, found, group)
    settings = {
        "_target_": "steelyard.data.table.Table",
        "file": {"_target_": "steelyard.data.files.File", "path": path, "url": "", "sha256": ""},
        "more_files": [],
        "separator": separator,
        "derive": {},
        "inputs_from": dict(_inputs(inputs, given)),
        "tasks_from": {head.name: _task(head) for head in found},
        "required": [inputs[0].column] if len(inputs) == 1 and inputs[0].missing else [],
        "drop_duplicates": _has_duplicates(table),
        "keep_where": "",
        "split": split,
    }
    return Draft(guesses=guesses, heads=found, is_guess=not heads, split=why, settings=settings)


def _has_duplicates(table: pd.DataFrame) -> bool:
    try:
        return bool(table.duplicated().any())
    except TypeError:  # cells that hold lists cannot be compared
        return False


def _group(table: pd.DataFrame, guesses: Sequence[Guess]) -> str:
    """Returns the column whose equal values must stay in one split; empty if there is none.

    Of several the one with the fewest values is taken: patients, not their lesions.
    """
    n_values = {}
    for each in guesses:
        if each.is_group:
            counts = table[each.column].value_counts(dropna=False)
            if len(counts) > FEW_NUMBERS and counts.max() <= len(table) / N_FOLDS:
                n_values[each.column] = len(counts)
    return min(n_values, key=n_values.__getitem__, default="")


def _split(table: pd.DataFrame, heads: Sequence[Head], group: str) -> tuple[dict[str, Any], str]:
    """Returns how to split, and why: by groups, and so that the rarest class is in each split."""
    share = 0.1 if len(table) >= MANY_ROWS else 0.15
    rarest = {}
    for head in heads:
        if head.kind in {"binary", "multiclass"}:
            counts = as_labels(table[head.columns[0]].astype(object)).value_counts()
            rarest[head.columns[0]] = int(counts.iloc[: head.top or None].min())
    stratify = min(rarest, key=rarest.__getitem__, default="")
    why = [f"{share:.0%} choose and {share:.0%} test"]
    if group:
        why.append(f"rows of one {group!r} stay together")
    if stratify:
        why.append(f"the shares of {stratify!r} are kept, whose rarest class is the rarest")
    settings = {"_target_": "steelyard.data.split.Partition", "by": group, "stratify": stratify}
    return {**settings, "valid": share, "test": share, "seed": 0}, "; ".join(why)


def _inputs(guesses: Sequence[Guess], names: Names) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields each input's name and configuration; all columns of numbers make one input."""
    numeric = [each.column for each in guesses if each.kind == "numeric"]
    for each in guesses:
        if each.kind != "numeric":
            target = f"steelyard.data.{each.kind}.{each.kind.title()}"
            knobs = {"_target_": target, "column": each.column, **each.knobs}
            yield names.of(each.column, "input", each.kind), knobs
    if numeric:
        name = names.of(NUMBERS if len(numeric) > 1 else numeric[0], "input", "numeric")
        yield name, {"_target_": "steelyard.data.numeric.Numeric", "column": numeric}


def _task(head: Head) -> dict[str, Any]:
    return {
        "_target_": "steelyard.data.target.Target",
        "column": list(head.columns) if head.kind == "multilabel" else head.columns[0],
        "kind": head.kind,
        "loss": "",
        "unit": "",
        "standardize": True,
        "classes": [],
        "top": head.top,
    }


def separator_of(content: bytes) -> str:
    """Returns what stands between the columns of a text, by its first line; else a comma."""
    start = content[:START_BYTES].decode("utf-8-sig", errors="replace")
    header = start.splitlines()[:1]
    return max(SEPARATORS, key=lambda each: len(next(csv.reader(header, delimiter=each), [])))


def as_yaml(draft: Draft, command: str) -> str:
    """Returns the file that configures a table, its guesses as comments."""
    is_head = {column for head in draft.heads for column in head.columns}
    inputs = [each for each in draft.guesses if each.column not in is_head]
    comments = [
        f"Written by `{command}`. What it holds are guesses: read them, and put them right.",
        *(f"{each.column}: {each.kind}; {each.why}" for each in inputs),
        *(f"head {head.name}: {head.kind}; {head.why}" for head in draft.heads),
        f"split: {draft.split}",
    ]
    lines = [f"# {UNWRITABLE.sub(' ', ' '.join(comment.split()))}" for comment in comments]
    return "\n".join([*lines, OmegaConf.to_yaml(OmegaConf.create(draft.settings))])
