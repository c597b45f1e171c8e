"""Findings in words: numbers with their intervals, verdicts, and how a choice was made."""

import math

from steelyard.analysis.changes import Change
from steelyard.analysis.comparison import Row
from steelyard.analysis.evidence import Estimate
from steelyard.analysis.recommend import Recommendation
from steelyard.analysis.significance import Share
from steelyard.analysis.study import Study

CLEAR = 0.05  # an adjusted p below it is called clear
MOST_NAMED = 6


def chosen(study: Study, answer: Recommendation) -> str:
    """Returns in words from which settings the recommended one was chosen."""
    n, n_serve, n_seeds = len(answer.unserved), len(answer.candidates), len(study.seeds)
    settings = f"{n} fixed settings" if n > 1 else "one fixed setting"
    tried = f"{settings} tried, with {n_seeds} seed{'s' * (n_seeds != 1)} each"
    if answer.setting in answer.incomplete:
        tried = f"{settings} with {answer.incomplete[answer.setting]} of {n_seeds} seeds finished"
    elif answer.incomplete:
        tried = f"{settings} of which all {n_seeds} seeds finished"
    if not answer.serves_all and n == 1:
        return f"Of the {tried}, by its score on validation:"
    if not answer.serves_all:
        return f"Among the {tried}, these weights have the best score on validation:"
    share = f"In {n_serve} of the" if n_serve < n else "In each of the" if n > 1 else "In the"
    among = "among such settings " if n_serve < n else ""
    best = (
        f"{among}these weights have the best score there"
        if n_serve > 1
        else "these are its weights"
    )
    return f"{share} {tried}, every head beats its best constant guess on validation, and {best}:"


def not_chosen(study: Study, answer: Recommendation) -> str:
    """Returns in words which fixed settings the choice leaves out, and why; empty if none."""
    n_seeds = len(study.seeds)
    told = [
        f"{setting} ({n or 'none'} of {n_seeds} seeds finished)"
        for setting, n in answer.incomplete.items()
        if setting not in answer.unserved
    ]
    return ", ".join(told)


def rivals(answer: Recommendation) -> str:
    """Returns in words which settings are not clearly worse, the nearest first; not all of many."""
    told = [f"{setting} ({gap(difference)})" for setting, difference in answer.rivals]
    more = len(told) - MOST_NAMED
    return ", ".join(told[:MOST_NAMED]) + (f", and {more} more" if more > 0 else "")


def best_method(answer: Recommendation) -> str:
    """Returns in words how the best method did beside the recommended weights, on the test."""
    assert answer.method_gain is not None
    method, difference = answer.method, answer.method_gain
    verdict = "no clear difference"
    if difference.is_apart_from_zero:
        verdict = "better" if difference.mean < 0 else "worse"
    left = ", ".join(answer.method_unserved)
    but = f" But it leaves {left} no better than a constant guess." if left else ""
    return (
        f"The best method on validation whose weights move as it trains is {method}; its score on "
        f"the test differs from the recommended weights' by {gap(difference)} (less is better): "
        f"{verdict}.{but}"
    )


def tuned(study: Study) -> str:
    """Returns in words which tuned values settings are best with, and which lie at an edge."""
    told = f"{', '.join(study.tried)}; {study.n_trained} runs in all"
    kept = "; ".join(f"{setting} {value}" for setting, value in study.chosen.items())
    ends = [study.tried[0], study.tried[-1]] if len(study.tried) > 1 else []
    counts = {end: list(study.chosen.values()).count(end) for end in ends}
    edges = " and ".join(f"{n} at {end}" for end, n in counts.items() if n)
    beyond = (
        f" Of {len(study.chosen)} settings {edges} stand at the edge of what was tried, and might "
        "do better beyond it."
    )
    return (
        f"Each setting was trained with the same values ({told}), and the tables hold each at its "
        f"best on validation: {kept}.{beyond if edges else ''}"
    )


def unserved(answer: Recommendation) -> str:
    """Returns in words which heads do not beat a constant guess, where no setting serves all."""
    never, here = answer.never_served, answer.unserved[answer.setting]
    others = " or ".join(head for head in here if head not in never)
    if not never:
        return f"each beats its best constant guess in some, but {others} not with these weights"
    told = f"in none of them does {' or '.join(never)} beat its best constant guess on validation"
    return told + (f", nor with these weights {others}" if others else "")


def verdict(change: Change) -> str:
    """Returns in words whether a head gained or lost against equal weights."""
    if change.against_equal is None:
        return "not known: equal weights were not tried"
    difference = change.against_equal
    if not difference.is_apart_from_zero:
        return "no clear difference"
    is_gain = (difference.mean > 0) == change.more_is_better
    return "gains" if is_gain else "loses"


def pasted(weights: dict[str, float]) -> str:
    """Returns loss weights ready to paste into `compile`."""
    inner = ", ".join(f'"{head}": {weight:.4g}' for head, weight in weights.items())
    return f"loss_weights={{{inner}}}"


def told(value: Estimate | None) -> str:
    """Returns a mean with the half width of its interval."""
    if value is None or math.isnan(value.mean):
        return "-"
    return number(value.mean) + ("" if math.isnan(value.half) else f" ± {number(value.half)}")


def gap(value: Estimate | None) -> str:
    """Returns a difference with its sign and its interval."""
    if value is None or math.isnan(value.mean):
        return "-"
    half = "" if math.isnan(value.half) else f" ± {number(value.half)}"
    return f"{signed(value.mean)}{half}"


def signed(value: float) -> str:
    """Returns a number with its sign."""
    return f"{'+' if value >= 0 else '−'}{number(abs(value))}"


def share(value: float) -> str:
    """Returns a share as a percentage."""
    if math.isnan(value):
        return "-"
    is_near_an_end = 0 < value < 0.01 or 0.99 < value < 1  # noqa: PLR2004
    return f"{100 * value:.2f} %" if is_near_an_end else f"{100 * value:.0f} %"


def number(value: float) -> str:
    """Returns a number to four significant digits, without an exponent where that is short."""
    if math.isnan(value):
        return "-"
    size = abs(value)
    if size >= 1000:  # noqa: PLR2004
        return f"{value:,.0f}"
    if 0 < size < 0.0005:  # noqa: PLR2004  what three decimals do not show
        return f"{value:.1g}"
    return f"{value:.3f}" if size < 10 else f"{value:.2f}" if size < 100 else f"{value:.1f}"  # noqa: PLR2004


def place(row: Row) -> str:
    """Returns in words where a setting lies by the frontier of the other fixed weights."""
    if row.distance is None:
        return "-"
    distance = row.distance
    if math.isnan(distance.low):
        return signed(distance.mean)
    ends = f"{signed(distance.low)} to {signed(distance.high)}"
    verdict = "behind" if row.is_behind else "beyond" if row.is_method else "on it"
    verdict = verdict if row.is_beyond or row.is_behind else "not clear"
    return f"{signed(distance.mean)} ({ends}: {verdict})"


def against(row: Row) -> str:
    """Returns a setting's difference to equal weights, and whether it is clear after Holm."""
    if row.against_equal is None:
        return "-"
    if math.isnan(row.p_adjusted):
        return gap(row.against_equal.difference)
    mark = ", clear" if row.p_adjusted < CLEAR else ""
    p = "< 0.001" if row.p_adjusted < 0.001 else f"= {row.p_adjusted:.3f}"  # noqa: PLR2004
    return f"{gap(row.against_equal.difference)} (p {p}{mark})"


def interval(value: Share | None) -> str:
    """Returns a share of runs with the ends of its interval."""
    if value is None or not value.n:
        return "-"
    return f"{100 * value.share:.0f} % ({100 * value.low:.0f} to {100 * value.high:.0f})"


def ended(row: Row) -> str:
    """Returns how a setting's runs ended."""
    told = [f"{row.n_finished}"]
    told += [f"{row.n_diverged} diverged"] if row.n_diverged else []
    told += [f"{row.n_failed} failed"] if row.n_failed else []
    return ", ".join(told)
