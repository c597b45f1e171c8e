"""The pictures of a report: the trade-off, the heads, the curves; always the same."""

import itertools
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from steelyard.analysis.front_figure import front
from steelyard.analysis.hover import as_svg
from steelyard.analysis.palette import GREEN, GREY, OF_HEADS, ORANGE, PURPLE
from steelyard.analysis.ranking_figure import conflicts, ranking
from steelyard.analysis.recommend import Recommendation
from steelyard.analysis.study import EQUAL, Study

DOTS_PER_INCH = 110
MOST_HEADS = 12  # a panel each; further ones are in the tables
Drawn = tuple[Figure, dict[str, str]]  # a figure, and what its points tell


def draw(study: Study, answer: Recommendation | None, folder: Path) -> list[str]:
    """Draws the figures of a study into a folder, and returns their names.

    Each is a PNG; those whose points tell what they are, are SVGs too.
    """
    folder.mkdir(parents=True, exist_ok=True)
    told = _told(study, answer)
    drawn: dict[str, Drawn] = {"curves": (_curves(study, answer), {})}
    if len(study.heads) > 1 and study.joint:
        drawn |= {"front": front(study, answer), "ranking": ranking(study, answer)}
        drawn["heads"] = (_heads(study, answer), {})
        if f"train/{study.heads[0]}/gradient_share" in study.curves:
            drawn["gradients"] = (_gradients(study, told), {})
        matrix = conflicts(study, told)
        if matrix is not None:
            drawn["conflicts"] = (matrix, {})
    for name, (figure, titles) in drawn.items():
        figure.savefig(folder / f"{name}.png", dpi=DOTS_PER_INCH, metadata={"Software": None})
        if titles:
            path = folder / f"{name}.svg"
            path.write_text(as_svg(figure, titles, name) + "\n", encoding="utf-8", newline="\n")
    return list(drawn)


def _told(study: Study, answer: Recommendation | None) -> list[tuple[str, str]]:
    """Returns the settings whose gradients are shown: `(setting, label)`."""
    wanted = [(EQUAL, "equal weights")] if EQUAL in study.settings else []
    if answer and answer.setting != EQUAL:
        wanted.append((answer.setting, "recommended weights"))
    if answer and answer.method:
        wanted.append((answer.method, answer.method))
    return wanted


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
    heads = study.heads[:MOST_HEADS]
    figure = Figure(figsize=(3.4 * len(heads), 3.6), layout="constrained")
    panels = figure.subplots(1, len(heads), squeeze=False)[0]
    for axes, head in zip(panels, heads, strict=True):
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
    heads = study.heads[:MOST_HEADS]
    figure = Figure(figsize=(3.8 * len(heads), 3.6), layout="constrained")
    panels = figure.subplots(1, len(heads), squeeze=False)[0]
    for axes, head in zip(panels, heads, strict=True):
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


def _gradients(study: Study, wanted: list[tuple[str, str]]) -> Figure:
    """Draws which head the gradient of the shared layers came from, epoch by epoch."""
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
