"""What a study's fixed weights reach together, and what its methods add: hypervolumes."""

import itertools
from dataclasses import dataclass

import numpy as np

from steelyard.analysis.entrants import Entrants
from steelyard.analysis.evidence import Estimate, non_dominated
from steelyard.analysis.front import hypervolume, normalised, sampled_hypervolume
from steelyard.analysis.study import Study

REFERENCE = 1.1  # on each head, where the nadir is 1
LIMIT = 3.0  # times a reference loss: what is worse does not stretch the scale
LEAST_WIDTH = 0.01  # of a head's scale, so that noise is not blown up where settings are alike
MOST_HEADS, MOST_POINTS = 5, 12  # beyond both, an exact volume takes too long
SEED = 0


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What is dominated on the test, on a scale that is 0 at `ideal` and 1 at `nadir`.

    Attributes:
        fixed: The fixed settings that count: they have a finished run.
        methods: The methods that count.
        not_dominated: The fixed settings that no other one dominates, by their means over seeds.
            If it is one, the sweep shows no trade-off between the heads.
        ranked: The pool that mean ranks refer to.
        ideal: Of each head, the loss ratio that is 0: alone (1), or the best of the fixed settings.
        nadir: Of each head, the loss ratio that is 1: the worst of the fixed settings.
        reference: The reference point, on every head.
        highest: The volume of a single point at the ideal.
        hypervolume_fixed: Of the fixed settings; an interval is that of sampling, 0 if exact.
        hypervolume_methods: Of the methods.
        hypervolume_all: Of both; what it is above that of the fixed settings, the methods add.
        is_exact: Whether no volume was sampled.
        normalisation: The scale, in words.
        reasons: Of a field that is None, why.
    """

    fixed: list[str]
    methods: list[str]
    not_dominated: list[str]
    ranked: list[str]
    ideal: dict[str, float]
    nadir: dict[str, float]
    reference: float
    highest: float
    hypervolume_fixed: Estimate | None
    hypervolume_methods: Estimate | None
    hypervolume_all: Estimate | None
    is_exact: bool
    normalisation: str
    reasons: dict[str, str]


def summarise(study: Study) -> Summary:
    """Returns the hypervolumes of a study's fixed settings and methods, by their means over seeds.

    Sets of more points cover more: compare that of the methods with what it adds to the fixed
    settings, not by itself.
    """
    entrants = Entrants(study=study)
    fixed = [name for name in entrants.means if name not in entrants.methods]
    methods = [name for name in entrants.means if name in entrants.methods]
    swept, moving = (
        np.array([entrants.means[name] for name in names]).reshape(-1, len(study.heads))
        for names in (fixed, methods)
    )
    ideal, nadir = scale(swept, has_references=study.has_references) if fixed else ((), ())
    sets = {"fixed": swept, "methods": moving, "all": np.concatenate([swept, moving])}
    volumes: dict[str, Estimate | None] = dict.fromkeys(sets)
    reasons = {}
    for name, points in sets.items():
        if not fixed or not len(points):
            missing = "no method finished" if fixed else "no fixed setting finished to scale by"
            reasons[f"hypervolume_{name}"] = entrants.why_unknown or missing
        else:
            volumes[name] = volume(normalised(points, ideal, nadir))
    return Summary(
        fixed=fixed,
        methods=methods,
        not_dominated=list(itertools.compress(fixed, non_dominated(swept))),
        ranked=entrants.ranked,
        ideal=_by_head(study, ideal),
        nadir=_by_head(study, nadir),
        reference=REFERENCE,
        highest=REFERENCE ** len(study.heads),
        hypervolume_fixed=volumes["fixed"],
        hypervolume_methods=volumes["methods"],
        hypervolume_all=volumes["all"],
        is_exact=all(found.half == 0 for found in volumes.values() if found),
        normalisation=_in_words(has_references=study.has_references),
        reasons=reasons,
    )


def scale(swept: np.ndarray, *, has_references: bool) -> tuple[np.ndarray, np.ndarray]:
    """Returns the ideal and the nadir [K] of fixed settings' loss ratios [N, K]."""
    best, worst = swept.min(axis=0), np.minimum(swept.max(axis=0), LIMIT)
    ideal = np.minimum(best, 1) if has_references else best
    return ideal, np.maximum(worst, ideal + LEAST_WIDTH)


def volume(points: np.ndarray) -> Estimate:
    """Returns the hypervolume of points [N, K] on the scale; sampled where there is too much."""
    front = points[non_dominated(points)]
    if front.shape[1] <= MOST_HEADS or len(front) <= MOST_POINTS:
        return Estimate(hypervolume(front, REFERENCE), 0.0, len(front))
    return sampled_hypervolume(front, REFERENCE, SEED)


def _in_words(*, has_references: bool) -> str:
    best = "the head alone, or the best fixed setting if that is better"
    return (
        "Mean test loss over seeds, over its reference; on each head "
        f"{best if has_references else 'the best fixed setting'} is 0, the worst fixed setting, "
        f"or {LIMIT:g} times the reference loss if that is less, is 1, at least {LEAST_WIDTH:g} "
        f"apart; volumes are below {REFERENCE:g} on every head."
    )


def _by_head(study: Study, values: np.ndarray | tuple[()]) -> dict[str, float]:
    return {head: float(value) for head, value in zip(study.heads, values, strict=False)}
