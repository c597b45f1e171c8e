"""What a column of strings that are not all numbers seems to be, rule by rule."""

import math
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

from steelyard.data.column import first_of
from steelyard.data.pictures import ENDINGS
from steelyard.data.seen import FEW_NUMBERS, MOST, Guess, Rule, Seen
from steelyard.data.text import N_SPECIAL, words

FEW = 100  # different values of a category
MANY_LEVELS, ROWS_A_LEVEL = 1000, 20  # more are a category too, where each has so many rows
WORDS_OF_A_TEXT, WORDS_OF_NO_LEVEL = 2, 20  # on average; less is an id, or may be a category
COVERED = 0.98  # of the words: the rest is unknown
LENGTHS, VOCABULARIES = (16, 512), (50, 20_000)
DAYS = ("%Y/%m/%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y")
DATES = ("", *(day + time for day in DAYS for time in ("", " %H:%M", " %H:%M:%S")))
LIKE_A_DATE = re.compile(r"\s*\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?!\d)")
LIKE_A_NUMBER = re.compile(r"\s*[^\w\s]?\s*[-+]?\d[\d.,]*\s*(?:[^\W\d]{1,6}|%)?\s*")


def _image(seen: Seen) -> Guess | None:
    if not seen.known.str.lower().str.endswith(ENDINGS).all():
        return None
    folder = seen.folder_of(seen.known.iloc[0])
    if not folder:
        first = seen.known.iloc[0]
        return seen.left_out(f"paths of images, but none such as {first!r} beside the table")
    leads = seen.known.str.rpartition("/")[0].unique()
    images = str(Path(folder) / leads[0]) if len(leads) == 1 else folder
    knobs = {"images": images, "suffix": "", "size": [32, 32], "channels": 3}
    knobs |= {"skip_missing": seen.missing > 0, "sha256": ""}
    return seen.seems("image", f"paths of images, in {images!r}", knobs)


def _date(seen: Seen) -> Guess | None:
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
        return seen.seems("date", why, {"format": fitting[0]})
    return _broken("dates", seen, ~best) if best.mean() >= MOST else None


def _category(seen: Seen) -> Guess | None:
    n, n_rows = seen.n_values, len(seen.known)
    if (seen.is_named_as_id and n > FEW_NUMBERS) or seen.n_words >= WORDS_OF_NO_LEVEL:
        return None
    few = FEW_NUMBERS if seen.numbers.notna().mean() >= MOST else FEW
    is_common = n <= min(MANY_LEVELS, n_rows / ROWS_A_LEVEL)
    if is_common or n <= min(few, n_rows / 2):
        return seen.seems("category", f"{n:,} different values in {n_rows:,} rows")
    return None


def _broken_numbers(seen: Seen) -> Guess | None:
    is_number = seen.numbers.notna()
    if max(is_number.mean(), seen.known.str.fullmatch(LIKE_A_NUMBER).mean()) < MOST:
        return None
    return _broken("numbers", seen, ~is_number)


def _broken(what: str, seen: Seen, is_broken: "pd.Series[bool]") -> Guess:
    n, first = is_broken.sum(), first_of(seen.known, is_broken)
    return seen.left_out(f"{what}, but {n:,} cells cannot be read, such as {first}: mend them")


def _id(seen: Seen) -> Guess | None:
    n, n_rows = seen.n_values, len(seen.known)
    if seen.n_words >= WORDS_OF_A_TEXT or seen.is_unspaced:
        return None
    if n == n_rows:
        return seen.left_out("every value differs: an id")
    many = f"{n:,} different values in {n_rows:,} rows"
    if seen.is_named_as_id:
        return seen.left_out(f"{many}: a group's id", is_group=True)
    return seen.left_out(f"{many}: too many for a category")


def _text(seen: Seen) -> Guess:
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
    return seen.seems("text", why, knobs)


OF_STRINGS: tuple[Rule, ...] = (_image, _date, _category, _broken_numbers, _id, _text)
