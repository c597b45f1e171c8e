"""The picture of the trade-off: the front of fixed weights, and every method laid over it."""

import itertools
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from steelyard.analysis.evidence import estimate, non_dominated
from steelyard.analysis.palette import BLUE, GREEN, GREY, ORANGE, PURPLE
from steelyard.analysis.recommend import Recommendation
from steelyard.analysis.study import EQUAL, Study

FARTHEST = 3.0  # times the reference: worse settings are drawn at the edge
MOST_PANELS = 6  # pairs of heads that are drawn; further ones are in the tables
CLOSE = 0.035  # of the panel: a name nearer than this to another is left to the tooltip
NEAR, CROWD = 1.25, 4  # so many settings with both ratios below are drawn once more, larger
MARGIN = 0.02


class Mark(NamedTuple):
    """How a setting is drawn."""

    label: str
    colour: str
    marker: str
    size: float
    height: int  # above the others


class View(NamedTuple):
    """A panel: two heads, all settings or those near 1."""

    pair: tuple[int, int]
    is_near: bool


FIXED = Mark("fixed weights", BLUE, "o", 5, 2)
METHOD = Mark("methods", PURPLE, "D", 6, 3)
OF_EQUAL = Mark("equal weights", ORANGE, "s", 8, 4)
RECOMMENDED = Mark("recommended", GREEN, "*", 15, 5)


def mark_of(study: Study, answer: Recommendation | None, setting: str) -> Mark:
    """Returns how a setting is drawn."""
    if setting == EQUAL:
        return OF_EQUAL
    if answer and setting == answer.setting:
        return RECOMMENDED
    return METHOD if study.is_method(setting) else FIXED


def front(study: Study, answer: Recommendation | None) -> tuple[Figure, dict[str, str]]:
    """Draws the loss of each pair of heads, each over its reference, and names the points.

    Returns the figure, and what the tooltip of each point says.
    """
    means = {s: np.nanmean(study.ratios(s, "test"), axis=0) for s in study.joint}
    pairs = list(itertools.combinations(range(len(study.heads)), 2))[:MOST_PANELS]
    views = [View(pair, is_near=False) for pair in pairs]
    if any(_is_crowded(means, pair) for pair in pairs):
        views += [View(pair, is_near=True) for pair in pairs]
    n_columns = len(views) if len(pairs) == 1 else min(len(pairs), 3)
    n_rows = -(-len(views) // n_columns)
    figure = Figure(figsize=(max(6.4, 4.3 * n_columns), 0.6 + 4.1 * n_rows), layout="constrained")
    panels = figure.subplots(n_rows, n_columns, squeeze=False).flat
    titles: dict[str, str] = {}
    for axes, view in itertools.zip_longest(panels, views):
        if view is None:
            axes.set_visible(False)
            continue
        _stairs(axes, study, means, view.pair)
        for n, setting in enumerate(study.joint):
            gid = f"point-{view.pair[0]}-{view.pair[1]}-{n}{'-near' * view.is_near}"
            titles[gid] = _told(study, setting, means[setting])
            _point(axes, study, setting, view.pair, mark_of(study, answer, setting), gid)
        if view.is_near:
            _zoom(axes, means, view.pair)
        _names(axes, study, means, view.pair)
        axes.axvline(1, color=GREY, linewidth=0.8, linestyle=":")
        axes.axhline(1, color=GREY, linewidth=0.8, linestyle=":")
        against = "alone" if study.has_references else "of the best constant"
        axes.set_xlabel(f"{study.heads[view.pair[0]]}: test loss / {against}")
        axes.set_ylabel(f"{study.heads[view.pair[1]]}: test loss / {against}")
    shown: dict[str, Any] = {}
    for axes in figure.axes:
        handles, labels = axes.get_legend_handles_labels()
        shown |= dict(zip(labels, handles, strict=True))
    figure.legend(
        list(shown.values()), list(shown), loc="outside lower center", ncols=4, frameon=False
    )
    return figure, titles


def _is_crowded(means: dict[str, np.ndarray], pair: tuple[int, int]) -> bool:
    """Returns whether settings lie so close to 1 that a picture of all hides them."""
    points = np.array([mean[list(pair)] for mean in means.values()])
    near = (points < NEAR).all(axis=1)
    return bool(near.sum() >= CROWD and not near.all())


def _zoom(axes: Axes, means: dict[str, np.ndarray], pair: tuple[int, int]) -> None:
    """Cuts a panel to where the settings are whose loss ratios are all near 1 or below."""
    points = np.array([mean[list(pair)] for mean in means.values()])
    inside = points[(points < NEAR).all(axis=1)]
    if len(inside):
        low, high = inside.min(axis=0) - MARGIN, inside.max(axis=0) + 2 * MARGIN
        axes.set_xlim(low[0], high[0])
        axes.set_ylim(low[1], high[1])
    axes.set_title("the same, near 1", loc="left", fontsize=9)


def _stairs(axes: Axes, study: Study, means: dict[str, np.ndarray], pair: tuple[int, int]) -> None:
    """Draws the line that joins the fixed settings that no other one beats on both heads."""
    fixed = np.array([means[s][list(pair)] for s in study.fixed]).reshape(-1, 2).clip(max=FARTHEST)
    best = fixed[non_dominated(fixed)]
    best = best[np.argsort(best[:, 0])]
    axes.plot(*best.T, color=GREY, linewidth=1, zorder=1, drawstyle="steps-post")


def _point(
    axes: Axes, study: Study, setting: str, pair: tuple[int, int], mark: Mark, gid: str
) -> None:
    """Draws a setting with the 95 % intervals of both its heads."""
    ratios = study.ratios(setting, "test")[:, pair].clip(max=FARTHEST)
    x, y = (estimate(list(column)) for column in ratios.T)
    drawn = axes.errorbar(
        [x.mean],
        [y.mean],
        xerr=[np.nan_to_num(x.half)],
        yerr=[np.nan_to_num(y.half)],
        fmt=mark.marker,
        color=mark.colour,
        markersize=mark.size,
        markeredgecolor="white",
        markeredgewidth=0.5,
        elinewidth=0.6,
        ecolor=(mark.colour, 0.45),
        label=mark.label,
        zorder=mark.height,
    )
    drawn.lines[0].set_gid(gid)


def _names(axes: Axes, study: Study, means: dict[str, np.ndarray], pair: tuple[int, int]) -> None:
    """Writes the methods' names beside their points, but where they would lie on each other."""
    left, right = axes.get_xlim()
    low, high = axes.get_ylim()
    size = np.array([right - left, high - low])
    taken: list[np.ndarray] = []
    methods = [setting for setting in study.joint if study.is_method(setting)]
    for setting in sorted(methods, key=lambda each: float(np.sum(means[each][list(pair)]))):
        place = means[setting][list(pair)].clip(max=FARTHEST)
        if not np.isfinite(place).all():
            continue
        if not ((place >= (left, low)) & (place <= (right, high))).all():
            continue
        at = place / size
        apart = [np.abs(at - other) for other in taken]
        if any(gap[1] < CLOSE and gap[0] < 6 * CLOSE for gap in apart):
            continue
        taken.append(at)
        is_right = (place[0] - left) / size[0] > 0.7  # noqa: PLR2004  a name must stay inside
        axes.annotate(
            setting,
            tuple(place),
            fontsize=7,
            xytext=(-5 if is_right else 5, 4),
            textcoords="offset points",
            ha="right" if is_right else "left",
        )


def _told(study: Study, setting: str, ratios: np.ndarray) -> str:
    """Returns what a point's tooltip says: the setting, its weights, and every head's ratio."""
    weights = " ".join(f"{head}={value:.3g}" for head, value in study.weights(setting).items())
    heads = ", ".join(
        f"{head} {ratio:.3f}" for head, ratio in zip(study.heads, ratios, strict=True)
    )
    n_seeds = sum(np.isfinite(study.scores(setting)))
    chosen = f", {study.chosen[setting]}" if setting in study.chosen else ""
    return (
        f"{setting}{chosen} ({n_seeds} seeds)\nloss weights: {weights}\nloss / reference: {heads}"
    )
