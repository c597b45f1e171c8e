"""Two pictures that compare settings: who is best and how surely, and which heads pull apart."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from steelyard.analysis.front_figure import FARTHEST, mark_of
from steelyard.analysis.log_axis import write_plainly
from steelyard.analysis.palette import GREY
from steelyard.analysis.recommend import Recommendation
from steelyard.analysis.study import Study

MOST_WITH_NUMBERS = 10  # heads: a larger matrix has colours alone
MOST_RANKED = 45  # settings
MOST_BELOW = 0.95  # of a score that its interval is drawn below it; an axis may be logarithmic


def ranking(study: Study, answer: Recommendation | None) -> tuple[Figure, dict[str, str]]:
    """Draws the test score of each setting with its 95 % interval, the best first.

    Returns the figure, and what the tooltip of each point says.
    """
    scores = {setting: study.score(setting, "test") for setting in study.joint}
    known = [setting for setting in study.joint if np.isfinite(scores[setting].mean)]
    ordered = sorted(known, key=lambda setting: scores[setting].mean)[:MOST_RANKED]
    figure = Figure(figsize=(7.2, 1.2 + 0.23 * len(ordered)), layout="constrained")
    axes = figure.subplots()
    titles = {}
    for row, setting in enumerate(ordered):
        score, mark = scores[setting], mark_of(study, answer, setting)
        half = np.nan_to_num(score.half)
        drawn = axes.errorbar(
            [score.mean],
            [row],
            xerr=[[min(half, MOST_BELOW * score.mean)], [half]],
            fmt=mark.marker,
            color=mark.colour,
            markersize=min(mark.size, 11),
            elinewidth=1,
            capsize=2,
            label=mark.label,
        )
        gid = f"rank-{row}"
        drawn.lines[0].set_gid(gid)
        titles[gid] = f"{setting}: {score.mean:.4g} ± {score.half:.2g} ({score.n} seeds)"
    axes.axvline(1, color=GREY, linewidth=0.8, linestyle=":")
    axes.set_yticks(range(len(ordered)), ordered, fontsize=8)
    axes.invert_yaxis()
    _set_scale(axes, [scores[each].mean for each in ordered])
    against = "alone" if study.has_references else "of the best constant"
    axes.set_xlabel(f"mean over the heads of test loss / {against} (less is better)")
    axes.grid(axis="y", linewidth=0.3)
    handles, labels = axes.get_legend_handles_labels()
    shown = dict(zip(labels, handles, strict=True))
    figure.legend(shown.values(), shown.keys(), loc="outside lower center", ncols=4, frameon=False)
    return figure, titles


def _set_scale(axes: Axes, scores: list[float]) -> None:
    """Fits the axis to the scores: a logarithmic one where some are many times the reference."""
    lowest, highest = min([1.0, *scores]), max(scores, default=1.0)
    if highest <= FARTHEST:
        room = 0.12 * max(highest - lowest, 0.1)
        axes.set_xlim(lowest - room, highest + room)
        return
    axes.set_xscale("log")
    axes.set_xlim(lowest / 1.1, highest * 1.3)
    write_plainly(axes.xaxis)


def conflicts(study: Study, settings: list[tuple[str, str]]) -> Figure | None:
    """Draws the mean cosine of each two heads' gradients, under a few settings.

    Args:
        study: The study.
        settings: `(setting, label)`.

    Returns the figure; None where no run measured them.
    """
    found = [(label, _cosines(study, setting)) for setting, label in settings]
    found = [(label, matrix) for label, matrix in found if np.isfinite(matrix).any()]
    if not found:
        return None
    n = len(study.heads)
    width = max(2.6, 0.5 * n)
    figure = Figure(figsize=(0.9 + width * len(found), width), layout="constrained")
    panels = figure.subplots(1, len(found), squeeze=False)[0]
    for place, (axes, (label, matrix)) in enumerate(zip(panels, found, strict=True)):
        image = axes.imshow(matrix, vmin=-1, vmax=1, cmap="PuOr")
        axes.set_xticks(range(n), study.heads, rotation=45, ha="right", fontsize=7)
        axes.set_yticks(range(n), study.heads if place == 0 else [""] * n, fontsize=7)
        axes.set_title(label, fontsize=8)
        if n <= MOST_WITH_NUMBERS:
            for row, column in np.argwhere(np.isfinite(matrix)):
                value = matrix[row, column]
                axes.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=7)
    figure.colorbar(image, ax=panels, shrink=0.8, label="cosine (negative: they pull apart)")
    return figure


def _cosines(study: Study, setting: str) -> np.ndarray:
    """Returns the cosines [K, K], means over epochs and seeds; NaN where none was measured."""
    rows = study.curves[study.curves["setting"] == setting]
    n = len(study.heads)
    matrix = np.full((n, n), np.nan)
    for i, one in enumerate(study.heads):
        for j, other in enumerate(study.heads):
            name = f"train/{one} and {other}/cosine"
            if name in rows:
                matrix[i, j] = matrix[j, i] = rows[name].mean()
    return matrix
