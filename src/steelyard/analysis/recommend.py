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
        setting: The fixed weights that serve every head, of the best score on validation.
        weights: Of each head, ready to paste.
        score: Its score on validation.
        candidates: The fixed weights that serve every head; all of them if none does.
        unserved: The heads that each fixed setting leaves no better than their best constant; of
            those alone that the choice is made of.
        incomplete: How many seeds finished of each fixed setting that is not, for want of one.
        passed_over: Fixed weights of a better score that do not serve every head.
        rivals: Other candidates whose score is not apart from it: `(setting, difference)`.
        method: The best method whose weights move, if the study has one.
        method_gain: Its score less the recommended one's, paired by seed.
        changes: Head by head and measure by measure, on the test.
    """

    setting: str
    weights: dict[str, float]
    score: Estimate
    candidates: list[str]
    unserved: dict[str, list[str]]
    incomplete: dict[str, int]
    passed_over: list[str]
    rivals: list[tuple[str, Estimate]]
    method: str | None
    method_gain: Estimate | None
    changes: list[Change]

    @property
    def serves_all(self) -> bool:
        """Whether every head beats its best constant."""
        return not self.unserved[self.setting]

    @property
    def never_served(self) -> list[str]:
        """The heads that no fixed setting makes better than their best constant."""
        every = list(self.unserved.values())
        return [head for head in every[0] if all(head in heads for heads in every)]


def recommend(study: Study) -> Recommendation | None:
    """Returns the answer of a study; None if no run of fixed weights on all heads finished.

    The choice is made on validation alone, among the settings in which every head beats its best
    constant (among all, where there is none), by the mean over the heads of the loss over that of
    the head trained alone (of the best constant, where heads were not trained alone): units cancel,
    and no head counts more than another. A setting of which a seed did not finish is not chosen,
    unless there are no others.
    """
    if not study.fixed:
        return None
    complete = [setting for setting in study.fixed if np.isfinite(study.scores(setting)).all()]
    unserved = {setting: _unserved(study, setting) for setting in complete or study.fixed}
    candidates = [setting for setting, heads in unserved.items() if not heads] or list(unserved)
    ranked = sorted(candidates, key=lambda setting: _mean_score(study, setting))
    best = ranked[0]
    rivals = [(other, paired(study.scores(other), study.scores(best))) for other in ranked[1:]]
    methods = [setting for setting in study.joint if study.is_method(setting)]
    method = min(methods, key=lambda setting: _mean_score(study, setting), default=None)
    return Recommendation(
        setting=best,
        weights=study.weights(best),
        score=estimate(study.scores(best)),
        candidates=candidates,
        unserved=unserved,
        incomplete={
            setting: int(np.isfinite(study.scores(setting)).sum())
            for setting in _fixed_tried(study)
            if setting not in unserved
        },
        passed_over=[
            other
            for other in unserved
            if other not in candidates and _mean_score(study, other) < _mean_score(study, best)
        ],
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


def _fixed_tried(study: Study) -> list[str]:
    """Returns the fixed settings of all heads, also those of which no run finished."""
    alone = {f"{head} alone" for head in study.heads}
    tried = study.runs.loc[study.runs["weighting"] == "fixed", "setting"]
    return [str(setting) for setting in dict.fromkeys(tried) if setting not in alone]


def _unserved(study: Study, setting: str) -> list[str]:
    """Returns the heads that a setting leaves no better than their best constant on validation.

    Heads that no fixed setting trains are left out; where a seed did not finish, none is served.
    """
    trained = [head for head in study.heads if _is_trained(study, head)]
    return [
        head
        for head in trained
        if not np.mean(study.values(setting, f"valid/{head}/loss")) < _constant(study, head)
    ]


def _is_trained(study: Study, head: str) -> bool:
    return any(study.weights(setting)[head] > 0 for setting in study.fixed)


def _constant(study: Study, head: str) -> float:
    """Returns the validation loss of a head's best constant, fitted on train.

    A run's record holds it. Where it does not, the head alone tells it: of one trained head the
    score is its loss over the constant's. Else that on train stands in for it.
    """
    told = study.of(study.settings[0], f"constant_valid/{head}").mean
    single = study.alone(head)
    if np.isnan(told) and single:
        losses, scores = (
            study.values(single, f"valid/{name}") for name in (f"{head}/loss", "score")
        )
        told = estimate([loss / score for loss, score in zip(losses, scores, strict=True)]).mean
    return study.of(study.settings[0], f"constant/{head}").mean if np.isnan(told) else told


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
