"""What a study varies beside its settings: values that are tuned, and conditions it goes across."""

from collections.abc import Sequence
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
    tried: list[str]  # values that each setting was given, in words


def tuned(runs: pd.DataFrame, curves: pd.DataFrame, heads: Sequence[str]) -> Tuned:
    """Returns of each setting the runs whose tuned values have the best score on validation.

    The score is the mean over seeds and heads of the validation loss over that of the head trained
    alone, at the values that the head alone is best with: what settings are compared by. Where not
    every head was trained alone it is the record's own, over the loss of the best constant. Values
    of which fewer seeds finished come after those of more.
    """
    if TUNED not in runs:
        return Tuned(runs, curves, {}, [])
    runs = runs.reset_index(drop=True)
    scores = _scores(runs, heads).where(runs["status"] == "finished")
    groups = scores.replace(np.inf, np.nan).groupby([runs[SETTING], runs[TUNED]], sort=False)
    order = pd.DataFrame({"missing": -groups.count(), "mean": groups.mean()})
    order = order.sort_values(["missing", "mean"], kind="stable")
    chosen = {setting: str(order.loc[setting].index[0]) for setting in dict.fromkeys(runs[SETTING])}

    def kept(table: pd.DataFrame) -> pd.DataFrame:
        if TUNED not in table:
            return table
        return table[table[TUNED] == table[SETTING].map(chosen)].reset_index(drop=True)

    return Tuned(kept(runs), kept(curves), chosen, list(dict.fromkeys(runs[TUNED])))


def _scores(runs: pd.DataFrame, heads: Sequence[str]) -> pd.Series:
    """Returns the score of each run by which tuned values are chosen."""
    ratios = {}
    for head in heads:
        losses = runs[f"valid/{head}/loss"].where(runs["status"] == "finished", np.inf)
        is_alone = runs[SETTING] == f"{head} alone"
        reference = losses[is_alone].groupby(runs[TUNED]).mean().min()
        if not 0 < reference < np.inf:  # the head was not trained alone, or not to its end
            return runs[SCORE]
        ratios[head] = losses / reference
    scores = sum(ratios.values()) / len(ratios)
    for head, ratio in ratios.items():
        scores = scores.where(runs[SETTING] != f"{head} alone", ratio)
    return scores


def conditions(runs: pd.DataFrame) -> list[str]:
    """Returns the values of what a study goes across, in order; none where it does not."""
    return list(dict.fromkeys(runs[ACROSS])) if ACROSS in runs else []


def at(table: pd.DataFrame, condition: str) -> pd.DataFrame:
    """Returns the rows of one condition."""
    if ACROSS not in table:
        return table
    return table[table[ACROSS] == condition].reset_index(drop=True)
