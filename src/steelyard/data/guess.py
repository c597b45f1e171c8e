"""What the columns of a table seem to be, and what to predict: guesses, with their reasons."""

import csv
import difflib
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from omegaconf import OmegaConf

from steelyard.data.column import as_labels, first_of
from steelyard.data.pictures import ENDINGS
from steelyard.data.reading import SEPARATORS
from steelyard.data.source import KINDS_OF_INPUT
from steelyard.data.text import N_SPECIAL, words

LEFT_OUT = "left out"
UNREADABLE = {"bytes", "complex", "mixed", "timedelta", "timedelta64", "time", "period"}
MOSTLY_EMPTY = 0.8  # of the rows
MOST = 0.8  # of the values: the others are then taken for mistakes
FEW, FEW_NUMBERS = 100, 20  # different values of a category, and of numbers that are one
MANY_LEVELS, ROWS_A_LEVEL = 1000, 20  # more are a category too, where each has so many rows
WORDS_OF_A_TEXT, WORDS_OF_NO_LEVEL = 2, 20  # on average; less is an id, or may be a category
UNSPACED, UNSPACED_WORD = "\u2e80", 10  # first of East Asia's letters; more of them are no word
START_BYTES = 1 << 16  # of a file, which hold its header
NUMBER = re.compile(r"-?\d+(?:\.\d+)*")  # pandas numbers a doubled one: 1.5.1
OLDEST, NEWEST = 19_000_101, 21_001_231  # dates as whole numbers
SAMPLE = 20_000  # texts whose words are counted
COVERED = 0.98  # of the words: the rest is unknown
LENGTHS, VOCABULARIES = (16, 512), (50, 20_000)
BOTH = 2  # classes of a binary head
ENOUGH = 10  # rows, or groups of rows, of a class that is kept: each fold of a split can have one
N_FOLDS = 10
MANY_ROWS = 10_000  # of which a tenth suffices to choose by
NUMBERS = "numbers"  # the input that several columns of numbers make
AN_ID = re.compile(r"(?i:(?:^|[^a-z])(?:id|ids|uuid|guid|index)$)|[a-z](?:Id|ID)$|^Unnamed: \d+$")
OWNERS = [[name] for name in ("customer", "lesion", "patient", "session", "speaker", "user")]
IN_ORDER = {"grade", "quality", "rating", "score", "stars"}  # whose numbers are no mere names
HEADS = {"class", "label", "labels", "outcome", "target", "y", *IN_ORDER}
UNWRITABLE = re.compile(r"\$\{|^\?\?\?$|[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]")  # in a YAML file
DAYS = ("%Y/%m/%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y")
DATES = ("", *(day + time for day in DAYS for time in ("", " %H:%M", " %H:%M:%S")))
LIKE_A_DATE = re.compile(r"\s*\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?!\d)")
LIKE_A_NUMBER = re.compile(r"\s*[^\w\s]?\s*[-+]?\d[\d.,]*\s*(?:[^\W\d]{1,6}|%)?\s*")
TRANSLITERATED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "æ": "ae", "ø": "oe"})

Found = dict[str, Any]  # a guess's fields
Finder = Callable[[str], str]
Rule = Callable[["Seen"], Found | None]


@dataclass(frozen=True, kw_only=True)
class Guess:
    """What a column seems to be.

    Attributes:
        column: Its name.
        kind: `text`, `numeric`, `category`, `date`, `image` or `left out`.
        why: The reason, in words.
        missing: Share of the rows that have no value.
        knobs: What its kind is told beside the column.
        is_group: Whether rows of one value belong together, as those of a patient do.
    """

    column: str
    kind: str
    why: str
    missing: float = 0.0
    knobs: dict[str, Any] = field(default_factory=dict)
    is_group: bool = False


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
    wanted = list(dict.fromkeys(heads)) or _wanted(guesses)
    if not wanted:
        raise ValueError(f"`{path}` must have a column that can be predicted, got none.")
    for column in wanted:
        _check_head(column, guesses)
    left = [each for each in guesses if each.column not in wanted]
    inputs = [each for each in left if each.kind != LEFT_OUT]
    if not inputs:
        raise ValueError(f"`{path}` must have a column to predict from, got none.")
    group = _group(table, left)
    given = Names()
    found = tuple(_heads(table, wanted, group, given))
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


def guess(values: pd.Series, folder_of: Finder = lambda path: "") -> Guess:
    """Returns what a column seems to be.

    Args:
        values: The column [N], its index the rows of the file.
        folder_of: Returns the folder in which a path leads to an image; empty if there is none.
    """
    name, missing = values.name, float(values.isna().mean())
    if not isinstance(name, str) or UNWRITABLE.search(name):
        why = "its name cannot stand in a configuration: rename it"
        return Guess(column=str(name), kind=LEFT_OUT, why=why, missing=missing)
    known = values.dropna().astype(object)
    seen = Seen(name, known, missing, pd.api.types.infer_dtype(known), folder_of)
    rules = [_useless, _typed, *(OF_STRINGS if seen.holds == "string" else OF_NUMBERS)]
    found = next(found for found in (rule(seen) for rule in rules) if found)
    return Guess(column=name, missing=missing, **found)


class Seen(NamedTuple):
    """A column, as the rules see it."""

    name: str
    known: "pd.Series[Any]"  # values [N] of which none is missing
    missing: float  # share of the rows
    holds: str  # the values' type
    folder_of: "Finder"

    @property
    def n_values(self) -> int:
        """How many different values there are."""
        return int(self.known.nunique())

    @property
    def numbers(self) -> "pd.Series[float]":
        """The values as numbers, missing where one is none."""
        return pd.to_numeric(self.known, errors="coerce").astype("float64")

    @property
    def some(self) -> "pd.Series[Any]":
        """The values, or every so many of them: enough to count words."""
        return self.known.iloc[:: math.ceil(len(self.known) / SAMPLE)]

    @property
    def n_words(self) -> float:
        """How many words a value has on average, cut at spaces."""
        return float(self.some.str.split().str.len().mean())

    @property
    def is_named_as_id(self) -> bool:
        """Whether it is called an id, or after those who own several rows."""
        return bool(AN_ID.search(self.name)) or _tokens(self.name)[-1:] in OWNERS

    @property
    def is_unspaced(self) -> bool:
        """Whether it holds texts in letters that need no space between words."""
        sample = "".join(self.known.iloc[:100].astype(str))
        n_letters = sum(letter >= UNSPACED for letter in sample)
        return n_letters > len(sample) / 2 and n_letters > UNSPACED_WORD * len(self.known[:100])


def _out(why: str, *, is_group: bool = False) -> Found:
    return {"kind": LEFT_OUT, "why": why, "is_group": is_group}


def _useless(seen: Seen) -> Found | None:
    if seen.known.empty:
        return _out("it is empty")
    if seen.holds in UNREADABLE:
        return _out(f"its cells hold {type(seen.known.iloc[0]).__name__}, which no input reads")
    if seen.n_values == 1:
        return _out(f"constant: always {str(seen.known.iloc[0])[:40]!r}")
    if seen.missing > MOSTLY_EMPTY:
        return _out(f"mostly empty: {seen.missing:.0%} of the rows have no value")
    return None


def _typed(seen: Seen) -> Found | None:
    if seen.holds in {"datetime64", "datetime", "date"}:
        return {"kind": "date", "why": "it holds dates", "knobs": {"format": ""}}
    return {"kind": "category", "why": "true or false"} if seen.holds == "boolean" else None


def _infinite(seen: Seen) -> Found | None:
    n = int(seen.numbers.isin([np.inf, -np.inf]).sum())
    return _out(f"numbers, but for {n:,} that are infinite: mend them") if n else None


def _id_of_numbers(seen: Seen) -> Found | None:
    numbers, n, n_rows = seen.numbers, seen.n_values, len(seen.known)
    is_whole = bool((numbers % 1 == 0).all())
    is_count = is_whole and n == n_rows and numbers.max() - numbers.min() == n - 1
    if is_count or (is_whole and n == n_rows and seen.is_named_as_id):
        return _out("every value differs: an id")
    if not (is_whole and seen.is_named_as_id):
        return None
    if n <= FEW_NUMBERS:
        return {"kind": "category", "why": f"{n} different numbers, named as an id"}
    return _out(f"{n:,} different values in {n_rows:,} rows: a group's id", is_group=True)


def _packed_date(seen: Seen) -> Found | None:
    form = "%Y%m%d"
    if seen.missing and seen.holds != "string":
        return None  # with an empty cell among them, they are read as fractions
    if seen.numbers.min() < OLDEST or seen.numbers.max() > NEWEST:
        return None
    dates = pd.to_datetime(seen.known.astype("string"), format=form, errors="coerce")
    if dates.isna().any():
        return None
    return {"kind": "date", "why": f"dates: {form}", "knobs": {"format": form}}


def _numeric(seen: Seen) -> Found:
    numbers = seen.numbers
    what = "whole numbers" if (numbers % 1 == 0).all() else "numbers"
    what += ", stored as text," if seen.holds == "string" else ""
    why = f"{what} from {numbers.min():g} to {numbers.max():g}; {seen.n_values:,} different"
    return {"kind": "numeric", "why": why}


def _image(seen: Seen) -> Found | None:
    if not seen.known.str.lower().str.endswith(ENDINGS).all():
        return None
    folder = seen.folder_of(seen.known.iloc[0])
    if not folder:
        return _out(f"paths of images, but none such as {seen.known.iloc[0]!r} beside the table")
    leads = seen.known.str.rpartition("/")[0].unique()
    images = str(Path(folder) / leads[0]) if len(leads) == 1 else folder
    knobs = {"images": images, "suffix": "", "size": [32, 32], "channels": 3}
    knobs |= {"skip_missing": seen.missing > 0, "sha256": ""}
    return {"kind": "image", "why": f"paths of images, in {images!r}", "knobs": knobs}


def _numbers_as_text(seen: Seen) -> Found | None:
    if seen.numbers.isna().any():
        return None
    return next(found for found in (rule(seen) for rule in OF_NUMBERS) if found)


def _date(seen: Seen) -> Found | None:
    if seen.known.iloc[:100].str.match(LIKE_A_DATE).mean() < MOST:
        return None
    fitting: list[str] = []
    best = pd.Series(False, index=seen.known.index)
    for form in DATES:
        dates = pd.to_datetime(seen.known, format=form or "ISO8601", errors="coerce", utc=True)
        fitting += [form] if dates.notna().all() else []
        best = max(best, dates.notna(), key=lambda each: float(each.mean()))
    if fitting:
        other = f", though {fitting[1]} fits as well: look" if len(fitting) > 1 else ""
        why = f"dates: {fitting[0] or 'as 2026-01-31'}{other}"
        return {"kind": "date", "why": why, "knobs": {"format": fitting[0]}}
    if best.mean() < MOST:
        return None
    broken = f"{(~best).sum():,} cells cannot be read, such as {first_of(seen.known, ~best)}"
    return _out(f"dates, but {broken}: mend them")


def _category(seen: Seen) -> Found | None:
    n, n_rows = seen.n_values, len(seen.known)
    if (seen.is_named_as_id and n > FEW_NUMBERS) or seen.n_words >= WORDS_OF_NO_LEVEL:
        return None
    few = FEW_NUMBERS if seen.numbers.notna().mean() >= MOST else FEW
    is_common = n <= min(MANY_LEVELS, n_rows / ROWS_A_LEVEL)
    if is_common or n <= min(few, n_rows / 2):
        return {"kind": "category", "why": f"{n:,} different values in {n_rows:,} rows"}
    return None


def _broken_numbers(seen: Seen) -> Found | None:
    is_number = seen.numbers.notna()
    if max(is_number.mean(), seen.known.str.fullmatch(LIKE_A_NUMBER).mean()) < MOST:
        return None
    first = first_of(seen.known, ~is_number)
    n = int((~is_number).sum())
    return _out(f"numbers, but {n:,} cells cannot be read, such as {first}: mend them")


def _id_of_letters(seen: Seen) -> Found | None:
    n, n_rows = seen.n_values, len(seen.known)
    if seen.n_words >= WORDS_OF_A_TEXT or seen.is_unspaced:
        return None
    if n == n_rows:
        return _out("every value differs: an id")
    many = f"{n:,} different values in {n_rows:,} rows"
    if seen.is_named_as_id:
        return _out(f"{many}: a group's id", is_group=True)
    return _out(f"{many}: too many for a category")


def _text(seen: Seen) -> Found:
    texts = [words(text) for text in seen.some]
    sizes = [len(text) for text in texts]
    long = float(np.percentile(sizes, 95))
    counts = np.sort(list(Counter(word for text in texts for word in text).values()))[::-1]
    needed = int(np.searchsorted(np.cumsum(counts), COVERED * counts.sum())) + 1 + N_SPECIAL
    knobs = {
        "length": int(np.clip(8 * (long // 8 + 1), *LENGTHS)),
        "vocabulary": int(np.clip(50 * math.ceil(needed / 50), *VOCABULARIES)),
    }
    why = f"words: {np.mean(sizes):.0f} on average, at most {long:.0f} in 95 % of the rows"
    if seen.is_unspaced:
        why += "; it has no spaces between words, so that a word is all between two marks"
    return {"kind": "text", "why": why, "knobs": knobs}


OF_NUMBERS: tuple[Rule, ...] = (_infinite, _id_of_numbers, _packed_date, _numeric)
OF_STRINGS: tuple[Rule, ...] = (
    *(_image, _numbers_as_text, _date, _category, _broken_numbers, _id_of_letters, _text),
)


def _tokens(name: str) -> list[str]:
    """Returns the words of a column's name: `ratingScore_2` has rating, score and 2."""
    return re.findall(r"[a-z]+|\d+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower())


def _wanted(guesses: Sequence[Guess]) -> list[str]:
    """Returns the columns that are named as heads are, or else the last that can be one."""
    usable = [each.column for each in guesses if each.kind != LEFT_OUT]
    fit = [each.column for each in guesses if each.kind in {"numeric", "category"}]
    heads = HEADS - {"y"} if "x" in usable else HEADS  # where y is a place
    named = [column for column in fit if set(_tokens(column)) & heads]
    return (named if len(named) < len(usable) else named[-1:]) or fit[-1:]


def _check_head(column: str, guesses: Sequence[Guess]) -> None:
    found = {each.column: each for each in guesses}.get(column)
    if found is None:
        names = [each.column for each in guesses]
        close = difflib.get_close_matches(column, names, n=1)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
        raise ValueError(
            f"`heads` must name columns of the table ({', '.join(names)}), got {column!r}{hint}."
        )
    if found.kind not in {"numeric", "category"}:
        raise ValueError(
            f"`heads` must name columns of numbers or of few classes, got {column!r} "
            f"({found.kind}: {found.why})."
        )


def _heads(
    table: pd.DataFrame, wanted: Sequence[str], group: str, names: "Names"
) -> Iterable[Head]:
    """Yields the heads; columns of 0 and 1 that begin alike are the labels of one."""
    labels: dict[str, list[str]] = {}
    for column in wanted:
        lead, mark, _ = column.rpartition("_")
        if mark and lead and set(as_labels(table[column]).dropna()) == {"0", "1"}:
            labels.setdefault(lead, []).append(column)
    labels = {lead: columns for lead, columns in labels.items() if len(columns) > BOTH}
    for column in wanted:
        lead = column.rpartition("_")[0]
        if column not in labels.get(lead, ()):
            yield _head(table, column, group, names)
        elif column == labels[lead][0]:
            why = f"{len(labels[lead])} columns of 0 and 1 that begin with {lead!r}"
            columns = tuple(labels[lead])
            yield Head(name=names.of(lead, "head"), columns=columns, kind="multilabel", why=why)


def _head(table: pd.DataFrame, column: str, group: str, names: "Names") -> Head:
    values = table[column].dropna()
    classes = as_labels(values.astype(object))
    n = classes.nunique()
    name = names.of(column, "head")
    numbers = pd.to_numeric(values.astype(object), errors="coerce")
    is_numeric = bool(numbers.notna().all()) and n > BOTH
    if is_numeric and (
        n > FEW_NUMBERS or (numbers % 1 != 0).any() or set(_tokens(column)) & IN_ORDER
    ):
        why = f"{n:,} different numbers, in order"
        return Head(name=name, columns=(column,), kind="regression", why=why)
    if n == BOTH:
        why = f"two values: {' and '.join(sorted(classes.unique()))}"
        return Head(name=name, columns=(column,), kind="binary", why=why)
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


def _group(table: pd.DataFrame, guesses: Sequence[Guess]) -> str:
    """Returns the column whose equal values must stay in one split; empty if there is none.

    Of several the one with the fewest values is taken: patients, not their lesions.
    """
    sizes = {
        each.column: table[each.column].value_counts(dropna=False)
        for each in guesses
        if each.is_group
    }
    fit = [
        column
        for column, counts in sizes.items()
        if len(counts) > FEW_NUMBERS and counts.max() <= len(table) / N_FOLDS
    ]
    return min(fit, key=lambda column: len(sizes[column]), default="")


def _split(table: pd.DataFrame, heads: Sequence[Head], group: str) -> tuple[dict[str, Any], str]:
    """Returns how to split, and why: by groups, and so that the rarest class is in each split."""
    share = 0.1 if len(table) >= MANY_ROWS else 0.15
    rarest = {}
    for head in heads:
        if head.kind in {"binary", "multiclass"}:
            counts = as_labels(table[head.columns[0]].astype(object)).value_counts()
            rarest[head.columns[0]] = int(counts.iloc[: head.top or None].min())
    stratify = min(rarest, key=lambda column: rarest[column], default="")
    why = [f"{share:.0%} choose and {share:.0%} test"]
    if group:
        why.append(f"rows of one {group!r} stay together")
    if stratify:
        why.append(f"the shares of {stratify!r} are kept, whose rarest class is the rarest")
    settings = {"_target_": "steelyard.data.split.Partition", "by": group, "stratify": stratify}
    return {**settings, "valid": share, "test": share, "seed": 0}, "; ".join(why)


def _inputs(guesses: Sequence[Guess], names: "Names") -> Iterable[tuple[str, dict[str, Any]]]:
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
    column = list(head.columns) if head.kind == "multilabel" else head.columns[0]
    return {
        "_target_": "steelyard.data.target.Target",
        "column": column,
        "kind": head.kind,
        "loss": "",
        "unit": "",
        "standardize": True,
        "classes": [],
        "top": head.top,
    }


class Names:
    """Names of inputs and heads that were given out; `rule` is the key of loss weights."""

    def __init__(self) -> None:
        self.given = {"rule"}

    def of(self, column: str, lead: str, kind: str = "") -> str:
        """Returns a name of a-z, digits and _ for a column.

        Args:
            column: How it is called.
            lead: What its name is, with a number, if no letter of it is left.
            kind: Of an input: a network has encoders by kind, and none must have another's name.
        """
        plain = unicodedata.normalize("NFKD", column.lower().translate(TRANSLITERATED))
        plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
        name = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
        taken = self.given | {"", *(set(KINDS_OF_INPUT) - {kind} if kind else ())}
        numbered = (f"{name or lead}_{n}" for n in range(2 if name else 1, len(taken) + 3))
        found = next(each for each in [name, *numbered] if each not in taken)
        self.given.add(found)
        return found
