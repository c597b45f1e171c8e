"""How every setting of all heads did on the test: scores, ranks, and its place by the frontier."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from steelyard.analysis.entrants import NO_LOSSES, NO_RUN, SPLIT, Entrants
from steelyard.analysis.evidence import Estimate, estimate
from steelyard.analysis.front import non_dominated_share
from steelyard.analysis.measures import delta_m_pct_lower_better, mean_ranks
from steelyard.analysis.position import Distance, position
from steelyard.analysis.significance import Comparison, Share, compared, holm, share_of
from steelyard.analysis.study import EQUAL, Study

LEAST_HEADLINE = 0.01  # R2, AUC and accuracy run up to 1: a change in % of less says nothing
FEWEST_RANKED = 2


@dataclass(frozen=True, kw_only=True)
class Row:
    """A setting that trains every head. What cannot be said is None or NaN.

    Attributes:
        setting: Its name.
        is_method: Whether its weights move.
        n_finished: Runs that ended well.
        n_failed: Runs that broke off.
        n_diverged: Runs whose losses were no numbers any more.
        score: Mean over the heads of the loss over its reference (`Study.ratios`); less is better.
        delta_m_pct_lower_better: Of the heads' headline measures, against the heads alone.
        mean_rank: Over the heads' headline measures, in the pool (`Entrants.ranked`).
        worst: The head whose loss ratio is the largest on average.
        worst_head: Its loss ratio.
        distance: To the frontier of all other fixed settings, in loss ratios; below 0 is beyond.
        n_front: How many settings that frontier is made of; few are easily passed.
        not_dominated: Share of the runs that no point of that frontier dominates.
        against_equal: The score less that of equal weights, paired by seed.
        p_adjusted: Its p, by Holm, over all rows that have one.
        reasons: Of a field that is not known, why.
    """

    setting: str
    is_method: bool
    n_finished: int
    n_failed: int
    n_diverged: int
    score: Estimate
    delta_m_pct_lower_better: Estimate | None
    mean_rank: Estimate | None
    worst_head: Estimate
    worst: str | None
    distance: Distance | None
    n_front: int
    not_dominated: Share | None
    against_equal: Comparison | None
    p_adjusted: float
    reasons: dict[str, str]

    @property
    def is_beyond(self) -> bool:
        """Whether it is clearly beyond the frontier."""
        return self.distance is not None and self.distance.is_beyond

    @property
    def is_behind(self) -> bool:
        """Whether it is clearly behind the frontier."""
        return self.distance is not None and self.distance.is_behind


class _Said(NamedTuple):
    """A value, or why there is none."""

    value: Estimate | None
    reason: str = ""


def compare(study: Study) -> list[Row]:
    """Returns a row for each setting that trains every head, in the order of the plan.

    A run that diverged is a result: it ranks last, and counts as dominated; where means of losses
    are taken it has none, so read `n_diverged` with them. A run that failed is left out.

    A frontier of few settings has gaps, and what lies in one is beyond it: read a method's distance
    beside those of the fixed settings, each of which is held against all the others in the same
    way.
    """
    entrants = Entrants(study=study)
    ranks = _ranks(entrants)
    pairs = {
        name: compared(entrants.scores(name), entrants.scores(EQUAL))
        for name in entrants.settings
        if EQUAL in entrants.settings and name != EQUAL
    }
    adjusted = holm([pair.p for pair in pairs.values()])
    p_values = dict(zip(pairs, adjusted, strict=True))
    return [
        _row(entrants, name, _rank(ranks, name), pairs.get(name), p_values.get(name, math.nan))
        for name in entrants.settings
    ]


def _row(
    entrants: Entrants, name: str, rank: _Said, pair: Comparison | None, p_adjusted: float
) -> Row:
    points, front = entrants.points(name), entrants.frontier(without=name)
    n_diverged = entrants.count(name, "diverged")
    no_points = "" if len(points) else entrants.why_unknown or NO_LOSSES
    no_front = "" if len(front) else entrants.why_unknown or "no other fixed setting finished"
    place = position(entrants.ratios[name], entrants.fixed_but(name)) if len(points) else None
    heads = entrants.study.heads
    worst = None if no_points else heads[int(points.mean(axis=0).argmax())]
    change = _delta_m(entrants.study, name)
    n_free = round(len(points) * non_dominated_share(points, front)) if _both(points, front) else 0
    share = share_of(n_free, len(points) + n_diverged)
    reasons = {
        "score": no_points,
        "delta_m_pct_lower_better": change.reason,
        "mean_rank": rank.reason,
        "worst_head": no_points,
        "distance": no_front or no_points or ("" if place else "no seed finished in both"),
        "not_dominated": no_front or ("" if share.n else no_points),
        "against_equal": _why_not_paired(entrants, name, pair),
    }
    return Row(
        setting=name,
        is_method=name in entrants.methods,
        n_finished=entrants.count(name, "finished"),
        n_failed=entrants.count(name, "failed"),
        n_diverged=n_diverged,
        score=estimate([]) if no_points else entrants.study.score(name, SPLIT),
        delta_m_pct_lower_better=change.value,
        mean_rank=rank.value,
        worst_head=estimate(points[:, heads.index(worst)].tolist() if worst else []),
        worst=worst,
        distance=None if no_front else place,
        n_front=len(front),
        not_dominated=None if no_front else share,
        against_equal=pair,
        p_adjusted=p_adjusted,
        reasons={field: reason for field, reason in reasons.items() if reason},
    )


def _both(points: np.ndarray, front: np.ndarray) -> bool:
    return len(points) > 0 and len(front) > 0


def _why_not_paired(entrants: Entrants, name: str, pair: Comparison | None) -> str:
    if pair is None:
        return "these are equal weights" if name == EQUAL else "equal weights were not tried"
    return entrants.why_unknown or pair.reason


def _ranks(entrants: Entrants) -> dict[str, Estimate]:
    """Returns the mean rank of each member of the pool, if it has two; without its failed runs."""
    study = entrants.study
    if len(entrants.ranked) < FEWEST_RANKED:
        return {}
    headlines = {head: study.headline(head) for head in study.heads}
    values = [
        [study.values(name, f"{SPLIT}/{head}/{measure}") for head, measure in headlines.items()]
        for name in entrants.ranked
    ]
    is_more = [study.measures(head)[measure] for head, measure in headlines.items()]
    ranks = mean_ranks(np.swapaxes(values, 1, 2), is_more)  # [methods, seeds]
    ended = study.runs[study.runs["status"].isin(["finished", "diverged"])]
    found = {}
    for name, each in zip(entrants.ranked, ranks, strict=True):
        has_ended = np.isin(study.seeds, ended.loc[ended["setting"] == name, "seed"])
        found[name] = estimate(each[has_ended].tolist())
    return found


def _rank(ranks: dict[str, Estimate], name: str) -> _Said:
    if not ranks:
        return _Said(None, "there is nothing to rank it against")
    if name not in ranks:
        return _Said(None, "only methods, and the recommended and equal weights, are ranked")
    return _Said(ranks[name], "" if ranks[name].n else NO_RUN)


def _delta_m(study: Study, setting: str) -> _Said:
    """Returns the relative change of the headline measures against the heads alone, in per cent."""
    values, references, is_more = [], [], []
    for head in study.heads:
        measure, single = study.headline(head), study.alone(head)
        if single is None:
            return _Said(None, f"{head} was not trained alone")
        name = f"{SPLIT}/{head}/{measure}"
        reference = study.of(single, name)
        if not reference.mean >= LEAST_HEADLINE or reference.low <= 0:
            half = "" if math.isnan(reference.half) else f" ± {reference.half:.3g}"
            told = f"{measure} of {head} alone, {reference.mean:.3g}{half}"
            return _Said(None, f"{told}, is not apart from 0")
        values.append(study.values(setting, name))
        references.append(reference.mean)
        is_more.append(study.measures(head)[measure])
    by_seed = zip(*values, strict=True)
    found = estimate([delta_m_pct_lower_better(each, references, is_more) for each in by_seed])
    return _Said(found, "" if found.n else NO_RUN)
