"""What it takes to train on examples: rows, memory, and very roughly the time."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from steelyard.data.labels import Splits
from steelyard.data.source import SPLITS, Examples, Input, Split

# Of `model=auto` on two cores: 18,595 rows with texts of 120 words took about 7 seconds an epoch.
SECONDS_A_ROW, SECONDS_A_PLACE = 5e-5, {"text": 3e-6, "image": 4e-7}  # a word, a pixel


class Effort(NamedTuple):
    """What it takes to train on examples."""

    n_rows: dict[Split, int]
    n_bytes: int  # of all splits in memory
    seconds: float  # of an epoch of `model=auto`; right to a factor of three or so


def effort(inputs: Sequence[Input], splits: Splits) -> Effort:
    """Returns what it takes to train on examples."""
    arrays = [array for split in splits.values() for named in split for array in named.values()]
    n_rows = {split: n_rows_of(splits[split]) for split in SPLITS}
    places = [SECONDS_A_PLACE.get(each.kind, 0) * math.prod(each.shape[:2]) for each in inputs]
    seconds = n_rows["train"] * (SECONDS_A_ROW + sum(places))
    return Effort(n_rows, sum(array.nbytes for array in arrays), seconds)


def n_rows_of(examples: Examples) -> int:
    """Returns how many examples there are."""
    return len(next(iter(examples.targets.values())))
