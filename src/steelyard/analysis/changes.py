"""What a setting does to each head: against equal weights, and against the head alone."""

from typing import NamedTuple

import numpy as np

from steelyard.analysis.evidence import Estimate, estimate, paired
from steelyard.analysis.study import EQUAL, Study


class Change(NamedTuple):
    """What a head's measure does under the recommended weights."""

    head: str
    measure: str
    more_is_better: bool
    recommended: Estimate
    equal: Estimate | None
    alone: Estimate | None
    against_equal: Estimate | None  # the paired difference, recommended less equal
    against_alone: Estimate | None
    won_back: float  # share of what equal weights lose; NaN where nothing is, clearly
    equal_loses: bool | None  # against the head alone, clearly; None where that cannot be told


def change_of(
    study: Study, setting: str, head: str, measure: str, *, more_is_better: bool
) -> Change:
    """Returns what a setting does to a head, against equal weights and against the head alone."""
    name = f"test/{head}/{measure}"
    single = study.alone(head)
    ours = study.values(setting, name)
    equal = study.values(EQUAL, name) if EQUAL in study.settings else None
    alone = study.values(single, name) if single else None
    lost = paired(alone, equal) if equal and alone else None
    equal_loses = None
    if lost is not None and not np.isnan(lost.half):
        equal_loses = lost.is_apart_from_zero and (lost.mean > 0) == more_is_better
    return Change(
        head=head,
        measure=measure,
        more_is_better=more_is_better,
        recommended=estimate(ours),
        equal=estimate(equal) if equal else None,
        alone=estimate(alone) if alone else None,
        against_equal=paired(ours, equal) if equal else None,
        against_alone=paired(ours, alone) if alone else None,
        won_back=_won_back(ours, equal or [], alone or []) if equal_loses else float("nan"),
        equal_loses=equal_loses,
    )


def _won_back(ours: list[float], equal: list[float], alone: list[float]) -> float:
    """Returns the part of what equal weights lose that is regained; NaN where none is, clearly.

    Over the seeds that finished in all three.
    """
    values = np.array([ours, equal, alone])
    values = values[:, np.isfinite(values).all(axis=0)]
    regained, lost = paired(values[0], values[1]), paired(values[2], values[1])
    share = regained.mean / lost.mean if lost.is_apart_from_zero else float("nan")
    return share if share > 0 and regained.is_apart_from_zero else float("nan")
