"""Which examples train, which choose, and which are kept for the test."""

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.model_selection import KFold, StratifiedGroupKFold, StratifiedKFold

from steelyard.data.source import SPLITS, Split

NEAR = 0.02  # of the rows: a split that misses its share by less is as good as one that does not
MORE_FOLDS = 20  # that are tried to come that near


@dataclass(frozen=True, kw_only=True)
class Partition:
    """How a table is cut into train, valid and test.

    Attributes:
        by: A column whose equal values stay together (an item, a patient); empty for none.
        stratify: A column whose shares the splits keep, as far as the groups allow; empty for none.
        valid: Share of the examples that choose.
        test: Share of the examples kept for the test.
        seed: Draws the cut.
    """

    by: str = ""
    stratify: str = ""
    valid: float = 0.1
    test: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        if not (self.valid > 0 and self.test > 0 and self.valid + self.test < 1):
            raise ValueError(
                "`valid` and `test` must be positive shares that leave some to train, got "
                f"{self.valid} and {self.test}."
            )

    def cut(self, table: pd.DataFrame) -> dict[Split, np.ndarray]:
        """Returns the positions of each split's rows, in the table's order."""
        with warnings.catch_warnings():  # a class rarer than the splits cannot be in each of them
            warnings.filterwarnings("ignore", message="The least populated class in y")
            parts = self._folds(table)
        n_folds = len(parts)
        n_test, n_valid = round(self.test * n_folds), round(self.valid * n_folds)
        test, valid = parts[:n_test], parts[n_test : n_test + n_valid]
        rows = {"train": parts[n_test + n_valid :], "valid": valid, "test": test}
        found = {split: np.sort(np.concatenate(rows[split])) for split in SPLITS}
        for split, where in found.items():
            if not len(where):
                raise ValueError(
                    f"`split` must leave rows for {split}, got none: "
                    f"{f'a value of {self.by!r} holds too many rows' if self.by else 'too few'}."
                )
        return found

    def _folds(self, table: pd.DataFrame) -> list[np.ndarray]:
        """Returns the rows cut into equal parts, as many as the smallest split needs."""
        n_folds = self._n_folds()
        strata = self._labels(table, self.stratify)
        if self.by:
            groups = self._labels(table, self.by)
            if groups.max() + 1 < n_folds:
                raise ValueError(
                    f"`{self.by}` must have at least {n_folds} different values to be split by, "
                    f"got {groups.max() + 1}."
                )
            folds = StratifiedGroupKFold(n_folds, shuffle=True, random_state=self.seed)
            return [part for _, part in folds.split(table, strata, groups)]
        if self.stratify:
            folds = StratifiedKFold(n_folds, shuffle=True, random_state=self.seed)
            return [part for _, part in folds.split(table, strata)]
        folds = KFold(n_folds, shuffle=True, random_state=self.seed)
        return [part for _, part in folds.split(table)]

    def _n_folds(self) -> int:
        """Returns the fewest folds that give each split its share, as nearly as is needed."""

        def miss(n_folds: int) -> float:
            parts = [round(share * n_folds) for share in (self.valid, self.test)]
            if min(parts) < 1 or sum(parts) >= n_folds:
                return float("inf")  # a split would be empty
            shares = zip(parts, (self.valid, self.test), strict=True)
            return max(NEAR, *(abs(part / n_folds - share) for part, share in shares))

        first = round(1 / min(self.valid, self.test))
        return min(range(first, first + MORE_FOLDS), key=miss)

    def _labels(self, table: pd.DataFrame, column: str) -> np.ndarray:
        """Returns a number for each different value of a column; missing is a value too."""
        if not column:
            return np.zeros(len(table), dtype=int)
        if column not in table:
            raise ValueError(
                f"`split` must name columns of the table ({', '.join(map(str, table.columns))}), "
                f"got {column!r}."
            )
        return pd.factorize(table[column].astype("string").fillna(""), sort=True)[0]
