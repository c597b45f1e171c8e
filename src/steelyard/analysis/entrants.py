"""Who is compared, and by what: the settings, their loss ratios, the frontier, who is ranked."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from steelyard.analysis.recommend import recommend
from steelyard.analysis.study import EQUAL, Study

SPLIT = "test"
NEAR_ZERO = 1e-12  # a loss that is no reference
DIGITS = 12  # the mean of equal numbers is that number then, and ties stay ties
NO_RUN = "no run finished"
NO_LOSSES = "no run finished with a loss of every head"


@dataclass(frozen=True, kw_only=True)
class Entrants:
    """The settings of a study that train every head, and where their losses on the test lie."""

    study: Study

    @cached_property
    def settings(self) -> list[str]:
        """Those tried, in the order of the plan; also those of which no run finished."""
        if self.study.runs.empty:
            return []
        alone = {f"{head} alone" for head in self.study.heads}
        names = dict.fromkeys(self.study.runs["setting"])
        return [str(name) for name in names if name not in alone]

    @cached_property
    def methods(self) -> list[str]:
        """Those whose weights move."""
        return [name for name in self.settings if self.study.is_method(name)]

    @cached_property
    def why_unknown(self) -> str:
        """Why there are no loss ratios; empty where there are."""
        if not self.settings or not self.study.settings:
            return NO_RUN
        for head in self.study.heads:
            reference = self.study.reference(head, SPLIT)
            if not (math.isfinite(reference) and reference > NEAR_ZERO):
                return f"the reference loss of {head} must be above 0, and is {reference:.3g}"
        return ""

    @cached_property
    def ratios(self) -> dict[str, np.ndarray]:
        """Each setting's losses over their references [seeds, K]; NaN where not known."""
        if self.why_unknown:
            n_seeds = len(self.study.seeds) if self.settings else 0
            unknown = np.full((n_seeds, len(self.study.heads)), math.nan)
            return dict.fromkeys(self.settings, unknown)
        given = {name: self.study.ratios(name, SPLIT) for name in self.settings}
        return {name: _rounded(each) for name, each in given.items()}

    def points(self, setting: str) -> np.ndarray:
        """Returns the loss ratios of a setting's runs that have one for every head [n, K]."""
        given = self.ratios[setting]
        return np.asarray(given[~np.isnan(given).any(axis=1)])

    def scores(self, setting: str) -> list[float]:
        """Returns the mean over the heads of the loss ratios, seed by seed."""
        return [float(each) for each in self.ratios[setting].mean(axis=1)]

    @cached_property
    def means(self) -> dict[str, np.ndarray]:
        """The mean loss ratios [K] over seeds of each setting that has any."""
        known = {name: self.points(name) for name in self.settings}
        return {
            name: _rounded(points.mean(axis=0)) for name, points in known.items() if len(points)
        }

    def frontier(self, without: str) -> np.ndarray:
        """Returns the mean loss ratios of all fixed settings but one [N, K]."""
        skipped = {without, *self.methods}
        kept = [mean for name, mean in self.means.items() if name not in skipped]
        return np.array(kept).reshape(-1, len(self.study.heads))

    def fixed_but(self, without: str) -> list[np.ndarray]:
        """Returns the loss ratios [seeds, K] of each fixed setting but one that has any."""
        skipped = {without, *self.methods}
        return [self.ratios[name] for name in self.means if name not in skipped]

    @cached_property
    def ranked(self) -> list[str]:
        """Who is ranked: the methods, and the recommended and the equal fixed weights."""
        if not self.settings or not self.study.settings:
            return []
        with np.errstate(divide="ignore", invalid="ignore"):  # a reference may be 0
            answer = recommend(self.study)
        kept = {EQUAL, answer.setting if answer else EQUAL, *self.methods}
        return [name for name in self.settings if name in kept]

    def count(self, setting: str, status: str) -> int:
        """Returns how many of a setting's runs ended so."""
        runs = self.study.runs
        return int(((runs["setting"] == setting) & (runs["status"] == status)).sum())


def _rounded(values: np.ndarray) -> np.ndarray:
    """Returns values to some digits, NaN where they are not finite."""
    return np.where(np.isfinite(values), values, math.nan).round(DIGITS)
