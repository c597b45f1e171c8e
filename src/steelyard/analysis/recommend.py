"""Which loss weights to use, what each head gains and loses by them, and how sure that is."""

from dataclasses import dataclass

import numpy as np

from steelyard.analysis.changes import Change, change_of
from steelyard.analysis.evidence import LEVEL, Estimate, estimate, paired
from steelyard.analysis.significance import compared, holm
from steelyard.analysis.study import Study


@dataclass(frozen=True, kw_only=True)
class Recommendation:
    """The answer of a study.

    Attributes:
        setting: The fixed weights that serve every head, of the best score on validation.
        weights: Of each head, ready to paste.
        score: Its score on validation, which chose it.
        score_test: Its score on the test.
        candidates: The fixed weights that serve every head; all of them if none does.
        unserved: The heads that each fixed setting leaves no better than their best constant; of
            those alone that the choice is made of.
        incomplete: How many seeds finished of each fixed setting that lacks one.
        passed_over: Fixed weights of a better score that do not serve every head.
        rivals: Other candidates whose score is not clearly worse on validation, by Holm:
            `(setting, difference)`.
        method: The best method on validation whose weights move, if the study has one.
        method_unserved: The heads that it leaves no better than their best constant.
        method_gain: Its score on the test less the recommended one's, paired by seed.
        changes: Head by head and measure by measure, on the test.
    """

    setting: str
    weights: dict[str, float]
    score: Estimate
    score_test: Estimate
    candidates: list[str]
    unserved: dict[str, list[str]]
    incomplete: dict[str, int]
    passed_over: list[str]
    rivals: list[tuple[str, Estimate]]
    method: str | None
    method_unserved: list[str]
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
    unless there are no others: then those are left of which most seeds finished.
    """
    finished = {setting: _n_finished(study, setting) for setting in _fixed_tried(study)}
    most = max(finished.values(), default=0)
    if not most:
        return None
    left = [setting for setting, n in finished.items() if n == most]
    unserved = {setting: _unserved(study, setting) for setting in left}
    candidates = [setting for setting, heads in unserved.items() if not heads] or left
    ranked = sorted(candidates, key=lambda setting: study.score(setting).mean)
    best = ranked[0]
    methods = [setting for setting in study.joint if study.is_method(setting)]
    method = min(methods, key=lambda setting: _order(study, setting), default=None)
    return Recommendation(
        setting=best,
        weights=study.weights(best),
        score=study.score(best),
        score_test=study.score(best, "test"),
        candidates=candidates,
        unserved=unserved,
        incomplete={setting: n for setting, n in finished.items() if n < len(study.seeds)},
        passed_over=[
            other
            for other in unserved
            if other not in candidates and study.score(other).mean < study.score(best).mean
        ],
        rivals=_rivals(study, best, ranked[1:]),
        method=method,
        method_unserved=_unserved(study, method) if method else [],
        method_gain=_gain(study, method, best) if method else None,
        changes=[
            change_of(study, best, head, measure, more_is_better=better)
            for head in study.heads
            for measure, better in study.measures(head).items()
        ],
    )


def _n_finished(study: Study, setting: str) -> int:
    """Returns how many seeds of a setting have a score."""
    return int(np.isfinite(study.scores(setting)).sum())


def _order(study: Study, setting: str) -> tuple[int, float]:
    """Returns what settings are sorted by: those of which most seeds finished, the best first."""
    return -_n_finished(study, setting), study.score(setting).mean


def _rivals(study: Study, best: str, others: list[str]) -> list[tuple[str, Estimate]]:
    """Returns the settings that are not clearly worse than the best, and by how much they are.

    The best is the least of many, so each test has the level of all of them together (Holm).
    """
    found = [compared(study.scores(other), study.scores(best)) for other in others]
    p_values = holm([each.p for each in found])
    is_worse = [
        (p < 1 - LEVEL or bool(each.reason)) and each.difference.low > 0
        for each, p in zip(found, p_values, strict=True)
    ]
    return [
        (other, each.difference)
        for other, each, worse in zip(others, found, is_worse, strict=True)
        if not worse
    ]


def _gain(study: Study, setting: str, best: str) -> Estimate:
    """Returns a setting's score on the test less that of another: validation chose both."""
    return paired(study.scores(setting, "test"), study.scores(best, "test"))


def _fixed_tried(study: Study) -> list[str]:
    """Returns the fixed settings of all heads, also those of which no run finished."""
    alone = {f"{head} alone" for head in study.heads}
    tried = study.runs.loc[study.runs["weighting"] == "fixed", "setting"]
    return [str(setting) for setting in dict.fromkeys(tried) if setting not in alone]


def _unserved(study: Study, setting: str) -> list[str]:
    """Returns the heads that a setting leaves no better than their best constant on validation.

    Heads that no fixed setting trains are left out; a seed that did not finish counts nothing.
    """
    trained = [head for head in study.heads if _is_trained(study, head)]
    return [
        head
        for head in trained
        if not study.of(setting, f"valid/{head}/loss").mean < _constant(study, head)
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
