"""What a study varies beside its settings: values that are tuned, and conditions it goes across."""

from typing import NamedTuple

import numpy as np
import pandas as pd

SETTING, SEED, TUNED, ACROSS = "setting", "seed", "tuned", "across"
SCORE = "valid/score"


class Tuned(NamedTuple):
    """A study's runs at the values that each setting was best with."""

    runs: pd.DataFrame
    curves: pd.DataFrame
    chosen: dict[str, str]  # the values, in words, by setting
    n_tried: int  # values that each setting was given


def tuned(runs: pd.DataFrame, curves: pd.DataFrame) -> Tuned:
    """Returns of each setting the runs whose tuned values have the best score on validation.

    The score is the mean over seeds of the record's own: of each head's validation loss over that
    of its best constant. A value with a seed that did not finish comes after those without.
    """
    if TUNED not in runs:
        return Tuned(runs, curves, {}, 1)
    scores = runs[SCORE].where(runs["status"] == "finished", np.inf).fillna(np.inf)
    groups = scores.groupby([runs[SETTING], runs[TUNED]], sort=False).mean()
    chosen = {setting: str(groups[setting].idxmin()) for setting in dict.fromkeys(runs[SETTING])}

    def kept(table: pd.DataFrame) -> pd.DataFrame:
        if TUNED not in table:
            return table
        return table[table[TUNED] == table[SETTING].map(chosen)].reset_index(drop=True)

    return Tuned(kept(runs), kept(curves), chosen, int(runs[TUNED].nunique()))


def conditions(runs: pd.DataFrame) -> list[str]:
    """Returns the values of what a study goes across, in order; none where it does not."""
    return list(dict.fromkeys(runs[ACROSS])) if ACROSS in runs else []


def at(table: pd.DataFrame, condition: str) -> pd.DataFrame:
    """Returns the rows of one condition."""
    if ACROSS not in table:
        return table
    return table[table[ACROSS] == condition].reset_index(drop=True)
