"""Handwritten digits of 8 x 8 pixels, side by side in pairs: which they are, and their sum."""

import hashlib
from dataclasses import dataclass
from functools import cache

import numpy as np
from sklearn.datasets import load_digits

from steelyard.data.source import SPLITS, Examples, Input, Source, Split
from steelyard.task import Task

SIDE = 8  # pixels on a side of one digit
INK = 16  # of the darkest pixel
SHARES = (0.6, 0.2, 0.2)  # of the single digits, for train, valid and test
DIGITS = tuple(str(digit) for digit in range(10))


@dataclass(frozen=True, kw_only=True)
class Digits(Source):
    """Images of two digits side by side, made of the 1,797 that come with scikit-learn.

    Heads: `left` and `right`, which digit stands there, and `sum` of the two, a number from 0 to
    18. The single digits are cut into train, valid and test before they are paired, so no digit's
    image is in two splits; within a split it is in many pairs. Who wrote a digit is not known, so
    one hand may be in all splits.

    Real digits, synthetic pairs. The digits are part of the UCI repository's Optical Recognition
    of Handwritten Digits (alpaydin1998optical in the references). No file is
    needed.

    Attributes:
        n_train: Training pairs; a quarter as many are held out for each other split.
        seed: Draws the cut and, with the split's name, the pairs.
    """

    n_train: int = 4096
    seed: int = 0

    def __post_init__(self) -> None:
        if self.n_train < 4:  # noqa: PLR2004  a quarter of it is a split
            raise ValueError(f"`n_train` must be at least 4, got {self.n_train}.")
        if self.seed < 0:
            raise ValueError(f"`seed` must be at least 0, got {self.seed}.")

    @property
    def task_names(self) -> tuple[str, ...]:
        return ("left", "right", "sum")

    @property
    def fingerprint(self) -> str:
        images, numbers = glyphs()  # another release of scikit-learn could bring others
        return hashlib.sha256(images.tobytes() + numbers.tobytes()).hexdigest()

    @property
    def input_kinds(self) -> dict[str, tuple[str, int]]:
        return {each.name: (each.kind, each.length) for each in self.inputs}

    @property
    def inputs(self) -> tuple[Input, ...]:
        return (Input(name="image", kind="image", shape=(SIDE, 2 * SIDE, 1)),)

    @property
    def tasks(self) -> tuple[Task, ...]:
        return (
            Task(name="left", kind="multiclass", classes=DIGITS),
            Task(name="right", kind="multiclass", classes=DIGITS),
            Task(name="sum", kind="regression", loss="mse"),
        )

    def load(self, split: Split) -> Examples:
        n = self.n_train if split == "train" else self.n_train // 4
        images, numbers = glyphs()
        mine = self.cut()[split]
        rng = np.random.default_rng([self.seed, *split.encode()])
        left, right = mine[rng.integers(len(mine), size=(2, n))]
        pairs = np.concatenate([images[left], images[right]], axis=2)  # [N, 8, 16]
        return Examples(
            inputs={"image": pairs[..., None].astype("float32") / INK},
            targets={
                "left": numbers[left].astype("int32"),
                "right": numbers[right].astype("int32"),
                "sum": (numbers[left] + numbers[right]).astype("float32"),
            },
        )

    def cut(self) -> dict[Split, np.ndarray]:
        """Returns the positions of each split's single digits."""
        n = len(glyphs()[0])
        ends = np.round(np.cumsum(SHARES)[:-1] * n).astype(int)
        parts = np.split(np.random.default_rng(self.seed).permutation(n), ends)
        return dict(zip(SPLITS, parts, strict=True))


@cache
def glyphs() -> tuple[np.ndarray, np.ndarray]:
    """Returns the single digits' images [1797, 8, 8], from 0 to 16, and which they are [1797]."""
    bundled = load_digits()
    return bundled.images.astype("uint8"), bundled.target.astype("uint8")
