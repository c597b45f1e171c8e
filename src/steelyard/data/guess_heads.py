"""What of a table to predict: the columns that are named as heads are, and the kind of each."""

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from steelyard.data.column import as_labels
from steelyard.data.names import Names, tokens
from steelyard.data.seen import FEW_NUMBERS, LEFT_OUT, Guess

IN_ORDER = {"grade", "quality", "rating", "score", "stars"}  # whose numbers are no mere names
HEADS = {"class", "label", "labels", "outcome", "target", "y", *IN_ORDER}
FIT = {"numeric", "category"}  # kinds of column that can be predicted
BOTH = 2  # classes of a binary head
ENOUGH = 10  # rows, or groups of rows, of a class that is kept: each fold of a split can have one


@dataclass(frozen=True, kw_only=True)
class Head:
    """A head that seems to be wanted.

    Attributes:
        name: Its name.
        columns: What it predicts; several for `multilabel`.
        kind: `regression`, `binary`, `multiclass` or `multilabel`.
        why: The reason, in words.
        top: How many classes have rows enough to be learned; 0 if all have.
    """

    name: str
    columns: tuple[str, ...]
    kind: str
    why: str
    top: int = 0


def choose_heads(guesses: Sequence[Guess]) -> list[str]:
    """Returns the columns that are named as heads are, or else the last that can be one."""
    usable = [each.column for each in guesses if each.kind != LEFT_OUT]
    fit = [each.column for each in guesses if each.kind in FIT]
    heads = HEADS - {"y"} if "x" in usable else HEADS  # where y is a place
    named = [column for column in fit if not heads.isdisjoint(tokens(column))]
    return (named if len(named) < len(usable) else named[-1:]) or fit[-1:]


def check_head(column: str, guesses: Sequence[Guess]) -> None:
    """Refuses a column that cannot be predicted.

    Raises:
        ValueError: It is one.
    """
    found = {each.column: each for each in guesses}
    if column not in found:
        close = difflib.get_close_matches(column, found, n=1)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
        raise ValueError(
            f"`heads` must name columns of the table ({', '.join(found)}), got {column!r}{hint}."
        )
    if found[column].kind not in FIT:
        raise ValueError(
            f"`heads` must name columns of numbers or of few classes, got {column!r} "
            f"({found[column].kind}: {found[column].why})."
        )


def heads_of(
    table: pd.DataFrame, columns: Sequence[str], group: str, names: Names
) -> Iterator[Head]:
    """Yields the heads; columns of 0 and 1 that begin alike are the labels of one.

    Args:
        table: The table.
        columns: What to predict.
        group: The column whose equal values stay in one split; empty if there is none.
        names: The names that were given out.
    """
    labels: dict[str, list[str]] = {}
    for column in columns:
        lead = column.rpartition("_")[0]
        if lead and set(as_labels(table[column]).dropna()) in ({"0", "1"}, {"False", "True"}):
            labels.setdefault(lead, []).append(column)
    for column in columns:
        lead = column.rpartition("_")[0]
        alike = tuple(labels.get(lead, ()))
        if column not in alike or len(alike) <= BOTH:
            yield _head(table, column, group, names.of(column, "head"))
        elif column == alike[0]:
            why = f"{len(alike)} columns of 0 and 1 that begin with {lead!r}"
            yield Head(name=names.of(lead, "head"), columns=alike, kind="multilabel", why=why)


def _head(table: pd.DataFrame, column: str, group: str, name: str) -> Head:
    values = table[column].dropna().astype(object)
    classes = as_labels(values)
    n = classes.nunique()
    if n == BOTH:
        why = f"two values: {' and '.join(sorted(classes.unique()))}"
        return Head(name=name, columns=(column,), kind="binary", why=why)
    if _is_in_order(column, values, n):
        why = f"{n:,} different numbers, in order"
        return Head(name=name, columns=(column,), kind="regression", why=why)
    rows = table.loc[values.index, group] if group else pd.Series(values.index, values.index)
    sizes = rows.groupby(classes.to_numpy()).nunique()
    n_kept = max(BOTH, int((sizes >= ENOUGH).sum()))
    fewest = int(classes.value_counts().min())
    why = f"{n} classes, the rarest with {fewest:,} row{'s' * (fewest != 1)}"
    if n_kept < n:
        whose = f"{'groups' if group else 'rows'}; the others count as not labelled"
        why += f"; {n_kept} of them have at least {ENOUGH} {whose}"
    top = n_kept if n_kept < n else 0
    return Head(name=name, columns=(column,), kind="multiclass", why=why, top=top)


def _is_in_order(column: str, values: pd.Series, n_values: int) -> bool:
    """Returns whether values are numbers of which more is more, and no mere names."""
    numbers = pd.to_numeric(values, errors="coerce")
    if numbers.isna().any():
        return False
    is_scale = n_values > FEW_NUMBERS or not IN_ORDER.isdisjoint(tokens(column))
    return is_scale or bool((numbers % 1 != 0).any())
