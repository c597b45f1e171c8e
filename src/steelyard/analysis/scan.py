"""A scan: each head's loss in other units, what that does to every head, and who cares."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isnan, nan
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from steelyard.analysis.evidence import Estimate, estimate

NONE = ""  # the scaled head where every loss is in its own unit
TIMES = 2.0  # a spread over factors of more than so many spreads over seeds is no chance
LEAST = 0.01  # ... nor is one that no reader would notice
SPLITS = {"test": "test", "valid": "best"}  # how a record names what it has of each
OWN_UNITS = (NONE, 1.0)  # the point that all others are held against


class Point(NamedTuple):
    """A run of a scan, and its record; without one where the run could not be recorded."""

    method: str
    seed: int
    head: str  # whose loss is multiplied
    factor: float
    run_key: str
    record: Mapping[str, Any] | None


class Move(NamedTuple):
    """What units do to one head under one method.

    Attributes:
        at_one: The measure where no loss is multiplied, over the seeds.
        worst: The least mean over the seeds at any point; NaN where a run broke off.
        worst_at: That point: the scaled head and the factor.
        area: Under the curve, on average over the scaled heads; NaN where a run broke off.
        over_factors: Standard deviation over the points, in quadrature mean over the seeds.
        over_seeds: Standard deviation over the seeds, at the median point; NaN for one seed.
    """

    at_one: Estimate
    worst: float
    worst_at: tuple[str, float]
    area: float
    over_factors: float
    over_seeds: float

    @property
    def ratio(self) -> float:
        """The spread over factors in spreads over seeds."""
        return self.over_factors / self.over_seeds if self.over_seeds > 0 else nan

    @property
    def is_moved(self) -> bool:
        """Whether the spread over factors is more than chance, and enough to be noticed."""
        is_chance = not isnan(self.over_seeds) and self.over_factors <= TIMES * self.over_seeds
        return self.over_factors > LEAST and not is_chance


@dataclass(frozen=True, kw_only=True)
class Scan:
    """The results of a scan.

    Attributes:
        measures: What each head is judged by, free of units; more is better.
        points: A row a run, as `rows_of` returns them.
    """

    measures: Mapping[str, str]
    points: pd.DataFrame

    @cached_property
    def methods(self) -> list[str]:
        """The methods, in the order of the command."""
        return list(dict.fromkeys(self.points["method"]))

    @cached_property
    def scaled(self) -> list[str]:
        """The heads whose losses were multiplied."""
        return [head for head in dict.fromkeys(self.points["head"]) if head != NONE]

    @cached_property
    def factors(self) -> list[float]:
        """The factors, from the least, 1 among them."""
        return sorted({float(factor) for factor in self.points["factor"]})

    @cached_property
    def seeds(self) -> list[int]:
        """The seeds, in the order of the command."""
        return [int(seed) for seed in dict.fromkeys(self.points["seed"])]

    @cached_property
    def broken(self) -> pd.DataFrame:
        """The runs that failed or diverged."""
        return self.points[self.points["status"] != "finished"]

    def curve(self, method: str, scaled: str, head: str, split: str = "test") -> np.ndarray:
        """Returns a head's measure at each factor of another's loss [factors, seeds].

        NaN stands for a run that failed or diverged.
        """
        rows = self.points[
            (self.points["method"] == method) & (self.points["status"] == "finished")
        ]
        rows = rows[(rows["head"] == scaled) | (rows["head"] == NONE)]
        column = f"{split}/{head}/{self.measures[head]}"
        found = rows.pivot(index="factor", columns="seed", values=column)
        table = found.reindex(index=self.factors, columns=self.seeds)
        return table.to_numpy(dtype="float64")

    def area(self, method: str, scaled: str, head: str) -> float:
        """Returns the area under a curve over the decades of its factors: its mean height.

        Straight lines join the points over log10 of the factor. NaN where a run broke off.
        """
        decades = np.log10(self.factors)
        heights = self.curve(method, scaled, head).mean(axis=1)
        return float(np.trapezoid(heights, decades) / (decades[-1] - decades[0]))

    def move(self, method: str, head: str) -> Move:
        """Returns what units do to a head under a method."""
        curves = np.stack([self.curve(method, each, head) for each in self.scaled])
        one = self.factors.index(1.0)
        others = [n for n in range(len(self.factors)) if n != one]
        points = [(each, self.factors[n]) for each in self.scaled for n in others]
        table = np.concatenate([curves[:1, one], curves[:, others].reshape(len(points), -1)])
        means = table.mean(axis=1)  # [points]
        place = int(np.argmax(np.isnan(means))) if np.isnan(means).any() else int(means.argmin())
        return Move(
            at_one=estimate(list(table[0])),
            worst=float(means[place]),
            worst_at=[(NONE, 1.0), *points][place],
            area=float(np.mean([self.area(method, each, head) for each in self.scaled])),
            over_factors=_over_factors(table),
            over_seeds=_over_seeds(table),
        )

    def n_broken(self, method: str) -> int:
        """Returns how many runs of a method failed or diverged."""
        return int((self.broken["method"] == method).sum())

    def cares(self, method: str) -> bool | None:
        """Returns whether units matter to a method; None where that cannot be said.

        They do where they move a head by more than seeds do, or where a run diverges that goes well
        in the losses' own units. A run that failed, or is missing, is no sign of either: it leaves
        the answer open, unless the others give it.
        """
        ends = self._ends(method)
        told = [status for each in ends.values() for status in each]
        if set(ends[OWN_UNITS]) != {"finished"}:
            return None
        if "diverged" in told or any(self.move(method, head).is_moved for head in self.measures):
            return True
        return None if "failed" in told else False

    def doubt(self, method: str) -> str:
        """Returns why it cannot be said whether units matter to a method; empty where it can."""
        if self.cares(method) is not None:
            return ""
        ends = self._ends(method)
        if "diverged" in ends[OWN_UNITS]:
            return f"{method} diverges in the losses' own units"
        told = [status for each in ends.values() for status in each]
        runs = f"{told.count('failed')} of the {len(told)} runs of {method}"
        return f"{runs} failed or left no record"

    def _ends(self, method: str) -> dict[tuple[str, float], list[str]]:
        """Returns how a method's runs ended at each point, seed by seed; `failed` for none."""
        rows = self.points[self.points["method"] == method]
        places = zip(rows["head"], rows["factor"], rows["seed"], strict=True)
        known = dict(zip(places, rows["status"], strict=True))
        others = [(each, factor) for each in self.scaled for factor in self.factors if factor != 1]
        return {
            place: [known.get((*place, seed), "failed") for seed in self.seeds]
            for place in (OWN_UNITS, *others)
        }


def rows_of(points: Sequence[Point], measures: Mapping[str, str]) -> pd.DataFrame:
    """Returns a table with a row a run: its point, its status, and every head's measure."""
    rows = []
    for point in points:
        record = point.record or {"status": "failed"}
        row = {**point._asdict(), "status": record["status"]}
        del row["record"]
        names = [*(f"{head}/{measure}" for head, measure in measures.items()), "score"]
        for split, part in SPLITS.items():
            found = record.get(part) or {}
            row |= {f"{split}/{name}": found.get(name) for name in names}
        rows.append(row)
    table = pd.DataFrame(rows)
    numbers = [name for name in table if name.partition("/")[0] in SPLITS]
    return table.astype(dict.fromkeys(numbers, "float64"))


def _over_factors(table: np.ndarray) -> float:
    """Returns the standard deviation over the points of [points, seeds], as a mean over seeds."""
    spreads = [np.var(each[~np.isnan(each)], ddof=1) for each in table.T if _n_known(each) > 1]
    return float(np.sqrt(np.mean(spreads))) if spreads else nan


def _over_seeds(table: np.ndarray) -> float:
    """Returns the standard deviation over the seeds of [points, seeds], at the median point.

    Where a unit is fatal, seeds differ in how fatal it is: a mean would be of such points alone.
    """
    spreads = [np.std(each[~np.isnan(each)], ddof=1) for each in table if _n_known(each) > 1]
    return float(np.median(spreads)) if spreads else nan


def _n_known(values: np.ndarray) -> int:
    return int((~np.isnan(values)).sum())
