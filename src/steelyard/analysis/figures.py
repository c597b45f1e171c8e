"""The pictures of a report: the trade-off, the heads, the curves; always the same."""

import itertools
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from steelyard.analysis.evidence import estimate, non_dominated
from steelyard.analysis.recommend import Recommendation
from steelyard.analysis.study import EQUAL, Study

# Okabe and Ito's palette: told apart by the colour-blind.
GREY, BLUE, ORANGE, GREEN, PURPLE = "#7f7f7f", "#0072b2", "#d55e00", "#009e73", "#cc79a7"
OF_HEADS = (BLUE, "#e69f00", GREEN, PURPLE, "#56b4e9", "#f0e442")
DOTS_PER_INCH = 110
FARTHEST = 3.0  # times the reference: worse settings are drawn at the edge


def draw(study: Study, answer: Recommendation | None, folder: Path) -> list[str]:
    """Draws the figures of a study into a folder, and returns their names."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = {"curves": _curves(study, answer)}
    if len(study.heads) > 1 and study.joint:
        drawn = {"front": _front(study, answer), "heads": _heads(study, answer), **drawn}
        if f"train/{study.heads[0]}/gradient_share" in study.curves:
            drawn["gradients"] = _gradients(study, answer)
    for name, figure in drawn.items():
        figure.savefig(folder / f"{name}.png", dpi=DOTS_PER_INCH, metadata={"Software": None})
    return list(drawn)


def _front(study: Study, answer: Recommendation | None) -> Figure:
    """Draws the loss of each pair of heads, each over that of the head alone."""
    pairs = list(itertools.combinations(range(len(study.heads)), 2))
    figure = Figure(figsize=(max(5.6, 4.3 * len(pairs)), 4.6), layout="constrained")
    panels = figure.subplots(1, len(pairs), squeeze=False)[0]
    means = {s: np.nanmean(study.ratios(s, "test"), axis=0) for s in study.joint}
    fixed = np.array([means[s] for s in study.fixed]).reshape(-1, len(study.heads))
    is_front = non_dominated(fixed)
    for axes, (first, second) in zip(panels, pairs, strict=True):
        for setting in study.joint:
            _point(axes, study, answer, setting, (first, second))
        front = fixed[is_front][:, [first, second]].clip(max=FARTHEST)
        front = front[non_dominated(front)]
        front = front[np.argsort(front[:, 0])]
        axes.plot(*front.T, color=GREY, linewidth=1, zorder=1, drawstyle="steps-post")
        axes.axvline(1, color=GREY, linewidth=0.8, linestyle=":")
        axes.axhline(1, color=GREY, linewidth=0.8, linestyle=":")
        against = "alone" if study.has_references else "of the best constant"
        axes.set_xlabel(f"{study.heads[first]}: test loss / {against}")
        axes.set_ylabel(f"{study.heads[second]}: test loss / {against}")
    handles, labels = panels[0].get_legend_handles_labels()
    shown = dict(zip(labels, handles, strict=True))
    figure.legend(
        shown.values(),
        shown.keys(),
        loc="outside lower center",
        ncols=2 + len(pairs),
        frameon=False,
    )
    return figure


def _point(
    axes: Axes, study: Study, answer: Recommendation | None, setting: str, pair: tuple[int, int]
) -> None:
    """Draws a setting with the 95 % intervals of both its heads."""
    ratios = study.ratios(setting, "test")[:, pair].clip(max=FARTHEST)
    x, y = (estimate(list(column)) for column in ratios.T)
    colour, marker, label, size = BLUE, "o", "fixed weights", 5
    if setting == EQUAL:
        colour, marker, label, size = ORANGE, "s", "equal weights", 8
    elif answer and setting == answer.setting:
        colour, marker, label, size = GREEN, "*", "recommended", 15
    elif study.is_method(setting):
        colour, marker, label, size = PURPLE, "D", "methods", 6
    halves = [0.0 if np.isnan(each.half) else each.half for each in (x, y)]
    axes.errorbar(
        [x.mean],
        [y.mean],
        xerr=[halves[0]],
        yerr=[halves[1]],
        fmt=marker,
        color=colour,
        markersize=size,
        elinewidth=0.6,
        label=label,
        zorder=3 if size > 6 else 2,  # noqa: PLR2004  the few that matter stand above the others
    )
    if study.is_method(setting):
        axes.annotate(
            setting, (x.mean, y.mean), fontsize=7, xytext=(4, 4), textcoords="offset points"
        )


def _story(study: Study, answer: Recommendation | None, head: str) -> list[tuple[str, str, str]]:
    """Returns the few settings that tell a head's story: `(setting, label, colour)`."""
    story = [(EQUAL, "equal weights", ORANGE)] if EQUAL in study.settings else []
    if answer:
        story.append((answer.setting, f"recommended: {answer.setting}", GREEN))
        if answer.method:
            story.append((answer.method, f"method: {answer.method}", PURPLE))
    single = study.alone(head)
    return [*story, (single, "the head alone", GREY)] if single else story


def _heads(study: Study, answer: Recommendation | None) -> Figure:
    """Draws each head's main measure under the few settings that tell the story, and alone."""
    figure = Figure(figsize=(3.4 * len(study.heads), 3.6), layout="constrained")
    panels = figure.subplots(1, len(study.heads), squeeze=False)[0]
    for axes, head in zip(panels, study.heads, strict=True):
        for place, (setting, label, colour) in enumerate(_story(study, answer, head)):
            found = study.of(setting, f"test/{head}/{study.headline(head)}")
            half = 0 if np.isnan(found.half) else found.half
            axes.bar(place, found.mean, color=colour, yerr=half, capsize=4, label=label)
        axes.axhline(0, color="black", linewidth=0.8)
        axes.set_xticks([])
        axes.set_title(f"{head}: {study.headline(head)} (more is better)", fontsize=9)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False, fontsize=8)
    return figure


def _curves(study: Study, answer: Recommendation | None) -> Figure:
    """Draws each head's validation loss against the epoch, mean and range over seeds."""
    figure = Figure(figsize=(3.8 * len(study.heads), 3.6), layout="constrained")
    panels = figure.subplots(1, len(study.heads), squeeze=False)[0]
    for axes, head in zip(panels, study.heads, strict=True):
        for setting, label, colour in _story(study, answer, head):
            rows = study.curves[study.curves["setting"] == setting]
            by_epoch = rows.groupby("epoch")[f"valid/{head}/loss"]
            epochs = by_epoch.mean().index + 1
            axes.plot(epochs, by_epoch.mean(), color=colour, label=label, linewidth=1.6)
            axes.fill_between(epochs, by_epoch.min(), by_epoch.max(), color=colour, alpha=0.18)
        axes.set_title(f"{head}: validation loss", fontsize=9)
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False, fontsize=8)
    return figure


def _gradients(study: Study, answer: Recommendation | None) -> Figure:
    """Draws which head the gradient of the shared layers came from, epoch by epoch."""
    wanted = [(EQUAL, "equal weights")] if EQUAL in study.settings else []
    if answer and answer.setting != EQUAL:
        wanted.append((answer.setting, f"recommended: {answer.setting}"))
    if answer and answer.method:
        wanted.append((answer.method, f"method: {answer.method}"))
    figure = Figure(figsize=(3.8 * max(len(wanted), 1), 3.4), layout="constrained")
    panels = figure.subplots(1, max(len(wanted), 1), squeeze=False)[0]
    for axes, (setting, label) in zip(panels, wanted, strict=False):
        rows = study.curves[study.curves["setting"] == setting].groupby("epoch")
        shares = [rows[f"train/{head}/gradient_share"].mean() for head in study.heads]
        colours = itertools.cycle(OF_HEADS)
        axes.stackplot(
            shares[0].index + 1,
            [each.fillna(0) for each in shares],
            labels=study.heads,
            colors=[next(colours) for _ in study.heads],
        )
        axes.set(ylim=(0, 1), title=label, xlabel="epoch")
        axes.title.set_fontsize(9)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    panels[0].set_ylabel("share of the gradient")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False, fontsize=8)
    return figure
