"""A study's runs, arranged for comparison: settings by seeds, head by head."""

import json
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from steelyard.analysis.axes import ACROSS, at, conditions, tuned
from steelyard.analysis.evidence import Estimate, estimate
from steelyard.analysis.tables import read_csv
from steelyard.task import HEADLINE, MEASURES

EQUAL = "equal"


@dataclass(frozen=True, kw_only=True)
class Study:
    """The results of a study.

    Attributes:
        name: The study.
        runs: A row a run.
        curves: A row an epoch of a run.
        data: What `steelyard prepare` wrote of its data.
        chosen: The tuned values that each setting was best with, in words; none where nothing is
            tuned.
        tried: Tuned values that each setting was given, in words.
        n_trained: Runs of the study, those at other tuned values included.
        parts: The study under each of the conditions that it goes across; none where it does not.
    """

    name: str
    runs: pd.DataFrame
    curves: pd.DataFrame
    data: dict[str, Any]
    chosen: dict[str, str] = field(default_factory=dict)
    tried: list[str] = field(default_factory=list)
    n_trained: int = 0
    parts: dict[str, "Study"] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> "Study":
        """Returns the study whose results are in a folder."""
        data = json.loads((folder / "data.json").read_text(encoding="utf-8"))
        runs, curves = (read_csv(folder / name) for name in ("runs.csv", "curves.csv"))
        return cls.made_of(folder.name, runs, curves, data)

    @classmethod
    def made_of(
        cls, name: str, runs: pd.DataFrame, curves: pd.DataFrame, data: dict[str, Any]
    ) -> "Study":
        """Returns the study of these runs, each setting at the tuned values it is best with.

        Of a study that goes across conditions, it is the first of them; all are in `parts`.
        """
        parts = {}
        for condition in conditions(runs):
            here = [at(table, condition).drop(columns=ACROSS) for table in (runs, curves)]
            parts[condition] = cls.made_of(name, here[0], here[1], data)
        if parts:
            return replace(next(iter(parts.values())), parts=parts)
        best = tuned(runs, curves, list(data["tasks"]))
        return cls(
            name=name,
            runs=best.runs,
            curves=best.curves,
            data=data,
            chosen=best.chosen,
            tried=best.tried,
            n_trained=len(runs),
        )

    @cached_property
    def heads(self) -> list[str]:
        """The heads, in the order of the data."""
        return list(self.data["tasks"])

    @cached_property
    def ended(self) -> pd.DataFrame:
        """The runs that finished."""
        return self.runs[self.runs["status"] == "finished"]

    @cached_property
    def settings(self) -> list[str]:
        """The settings with a finished run, in the order of the plan."""
        return list(dict.fromkeys(self.ended["setting"]))

    @cached_property
    def seeds(self) -> list[int]:
        """The seeds."""
        return sorted(int(seed) for seed in self.runs["seed"].unique())

    def kind(self, head: str) -> str:
        """Returns the kind of a head's task."""
        return str(self.data["tasks"][head]["kind"])

    def unit(self, head: str) -> str:
        """Returns the unit of a head's targets."""
        return str(self.data["tasks"][head]["unit"])

    def measures(self, head: str) -> dict[str, bool]:
        """Returns a head's measures, and whether more of each is better."""
        return MEASURES[self.kind(head)]

    def headline(self, head: str) -> str:
        """Returns the measure that stands for a head."""
        return HEADLINE[self.kind(head)]

    def ceiling(self, head: str) -> float | None:
        """Returns the best expected value of a head's main measure, if the data are made so."""
        known = self.data.get("ceilings", {}).get(head)
        return None if known is None else float(known)

    @cached_property
    def _by_setting(self) -> dict[str, pd.DataFrame]:
        """The finished runs of each setting, a row a seed."""
        groups = self.ended.groupby("setting", sort=False)
        return {str(name): rows.set_index("seed").reindex(self.seeds) for name, rows in groups}

    def values(self, setting: str, name: str) -> list[float]:
        """Returns a column of a setting, seed by seed; NaN where a seed did not finish."""
        rows = self._by_setting.get(setting)
        if rows is None or name not in rows:
            return [np.nan] * len(self.seeds)
        return [float(value) for value in rows[name]]

    def of(self, setting: str, name: str) -> Estimate:
        """Returns the mean of a column over a setting's seeds, and its interval."""
        return estimate(self.values(setting, name))

    def alone(self, head: str) -> str | None:
        """Returns the setting that trains a head alone; None if the study has none."""
        name = f"{head} alone"
        return name if name in self.settings else None

    @cached_property
    def has_references(self) -> bool:
        """Whether every head was trained alone."""
        return all(self.alone(head) for head in self.heads)

    def is_method(self, setting: str) -> bool:
        """Whether a setting's weights move as it trains."""
        rows = self.runs[self.runs["setting"] == setting]
        return bool((rows["weighting"] != "fixed").any())

    def method(self, setting: str) -> str:
        """Returns the name of a setting's method: `fixed`, `nash_mtl`, `smoothed nash_mtl`."""
        return str(self.runs.loc[self.runs["setting"] == setting, "weighting"].iloc[0])

    @cached_property
    def joint(self) -> list[str]:
        """The settings that train every head."""
        singles = {self.alone(head) for head in self.heads}
        return [setting for setting in self.settings if setting not in singles]

    @cached_property
    def fixed(self) -> list[str]:
        """The settings that train every head at weights that stay."""
        return [setting for setting in self.joint if not self.is_method(setting)]

    def reference(self, head: str, split: str) -> float:
        """Returns the loss that a head is held against: alone, or else of the best constant."""
        single = self.alone(head)
        if self.has_references and single:
            return self.of(single, f"{split}/{head}/loss").mean
        return self.of(self.settings[0], f"constant/{head}").mean

    def ratios(self, setting: str, split: str) -> np.ndarray:
        """Returns each head's loss over its reference [seeds, K]; less is better."""
        columns = [
            np.array(self.values(setting, f"{split}/{head}/loss")) / self.reference(head, split)
            for head in self.heads
        ]
        return np.stack(columns, axis=1)

    def scores(self, setting: str, split: str = "valid") -> list[float]:
        """Returns the mean over the heads of `ratios`, seed by seed: the scale-free score."""
        return [float(each) for each in self.ratios(setting, split).mean(axis=1)]

    def score(self, setting: str, split: str = "valid") -> Estimate:
        """Returns the mean of `scores`, and its interval: that of ratios, for references vary too.

        By the delta method: seed s adds v_s / B - R (a_s / B - 1) on a head of mean ratio R, where
        a_s is the loss of the head alone, B its mean over seeds. A constant does not vary.
        """
        ratios, mean = self.ratios(setting, split), estimate(self.scores(setting, split))
        if self.has_references and mean.n:
            at = np.nanmean(ratios, axis=0)
            singles = [(head, str(self.alone(head))) for head in self.heads]
            alone = [
                np.array(self.values(single, f"{split}/{head}/loss")) / self.reference(head, split)
                for head, single in singles
            ]
            ratios = ratios - at * (np.stack(alone, axis=1) - 1)
        return Estimate(mean.mean, estimate(ratios.mean(axis=1).tolist()).half, mean.n)

    def weights(self, setting: str) -> dict[str, float]:
        """Returns the mean loss weight of each head."""
        return {head: self.of(setting, f"weight/{head}").mean for head in self.heads}

    def start_shares(self, setting: str) -> dict[str, float]:
        """Returns each head's share of the weighted loss before the first step."""
        parts = {
            head: weight * self.of(setting, f"start/{head}").mean
            for head, weight in self.weights(setting).items()
        }
        total = sum(parts.values())
        return {head: part / total for head, part in parts.items()}
