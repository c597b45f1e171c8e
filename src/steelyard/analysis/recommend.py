"""Which loss weights to use, what each head gains and loses by them, and how sure that is."""

from dataclasses import dataclass
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
    won_back: float  # share of the way from equal weights to the head alone; NaN if not clearly any


@dataclass(frozen=True, kw_only=True)
class Recommendation:
    """The answer of a study.

    Attributes:
        setting: The best fixed weights, by the score on validation.
        weights: Of each head, ready to paste.
        score: Its score on validation.
        rivals: Other fixed weights whose score is not apart from it: `(setting, difference)`.
        method: The best method whose weights move, if the study has one.
        method_gain: Its score less the recommended one's, paired by seed.
        changes: Head by head and measure by measure, on the test.
    """

    setting: str
    weights: dict[str, float]
    score: Estimate
    rivals: list[tuple[str, Estimate]]
    method: str | None
    method_gain: Estimate | None
    changes: list[Change]


def recommend(study: Study) -> Recommendation | None:
    """Returns the answer of a study; None if no run of fixed weights on all heads finished.

    The choice is made on validation alone, by the mean over the heads of the loss over that of the
    head trained alone (of the best constant, where heads were not trained alone): units cancel, and
    no head counts more than another.
    """
    if not study.fixed:
        return None
    ranked = sorted(study.fixed, key=lambda setting: _mean_score(study, setting))
    best = ranked[0]
    rivals = [(other, paired(study.scores(other), study.scores(best))) for other in ranked[1:]]
    methods = [setting for setting in study.joint if study.is_method(setting)]
    method = min(methods, key=lambda setting: _mean_score(study, setting), default=None)
    return Recommendation(
        setting=best,
        weights=study.weights(best),
        score=estimate(study.scores(best)),
        rivals=[(other, gap) for other, gap in rivals if not gap.low > 0],
        method=method,
        method_gain=paired(study.scores(method), study.scores(best)) if method else None,
        changes=[
            change_of(study, best, head, measure, more_is_better=better)
            for head in study.heads
            for measure, better in study.measures(head).items()
        ],
    )


def _mean_score(study: Study, setting: str) -> float:
    """Returns a setting's score; one with a seed that did not finish comes last."""
    mean = float(np.mean(study.scores(setting)))
    return mean if np.isfinite(mean) else float("inf")


def change_of(
    study: Study, setting: str, head: str, measure: str, *, more_is_better: bool
) -> Change:
    """Returns what a setting does to a head, against equal weights and against the head alone."""
    name = f"test/{head}/{measure}"
    single = study.alone(head)
    ours = study.values(setting, name)
    equal = study.values(EQUAL, name) if EQUAL in study.settings else None
    alone = study.values(single, name) if single else None
    won_back = float("nan")
    if equal and alone:
        lost = paired(alone, equal)
        is_loss = lost.mean > 0 if more_is_better else lost.mean < 0
        if is_loss and lost.is_apart_from_zero:
            won_back = float((np.nanmean(ours) - np.nanmean(equal)) / lost.mean)
    return Change(
        head=head,
        measure=measure,
        more_is_better=more_is_better,
        recommended=estimate(ours),
        equal=estimate(equal) if equal else None,
        alone=estimate(alone) if alone else None,
        against_equal=paired(ours, equal) if equal else None,
        against_alone=paired(ours, alone) if alone else None,
        won_back=won_back,
    )
