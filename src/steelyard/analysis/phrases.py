"""Findings in words: numbers with their intervals, verdicts, and how a choice was made."""

import math

from steelyard.analysis.comparison import Row
from steelyard.analysis.evidence import Estimate
from steelyard.analysis.recommend import Change, Recommendation
from steelyard.analysis.significance import Share
from steelyard.analysis.study import Study

CLEAR = 0.05  # an adjusted p below it is called clear


def chosen(study: Study, answer: Recommendation) -> str:
    """Returns in words from which settings the recommended one was chosen."""
    n, n_serve, n_seeds = len(answer.unserved), len(answer.candidates), len(study.seeds)
    settings = f"{n} fixed settings" if n > 1 else "one fixed setting"
    tried = f"{settings} tried, with {n_seeds} seed{'s' * (n_seeds != 1)} each"
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
    ]
    return ", ".join(told)


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
    sign = "+" if value.mean >= 0 else "−"
    half = "" if math.isnan(value.half) else f" ± {number(value.half)}"
    return f"{sign}{number(abs(value.mean))}{half}"


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
    return f"{value:.3f}" if size < 10 else f"{value:.2f}" if size < 100 else f"{value:.1f}"  # noqa: PLR2004


def place(row: Row) -> str:
    """Returns in words where a setting lies by the frontier of the other fixed weights."""
    if row.distance is None:
        return "-"
    is_clear = row.is_beyond or row.is_behind
    verdict = "behind" if row.is_behind else "beyond" if row.is_method else "makes it"
    verdict = verdict if is_clear else "not clear"
    return f"{gap(row.distance)} ({verdict})"


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
