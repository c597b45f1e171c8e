"""The picture of a scan: rows are heads, columns the head whose loss is multiplied."""

import itertools
from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from steelyard.analysis.palette import GREY, OF_LINES
from steelyard.analysis.scan import NONE, Scan

MARKERS = ("o", "s", "^", "D", "<", "P", ">", "p")
CHANCE = {"r2": 0.0, "auc": 0.5}  # what the best constant gets
LOWEST = {"r2": -0.25}  # worse points are drawn at the edge
MARGIN = 0.07  # of a panel's height, above and below what is drawn
MOST_TICKS = 5  # labelled decades
MOST_COLUMNS = 4  # of the legend
CARES = {True: "cares about units", False: "does not", None: "cannot be said"}


def draw(scan: Scan) -> Figure:
    """Draws each head's measure against the factor of each head's loss, a line a method."""
    heads, scaled = list(scan.measures), scan.scaled
    n_columns = min(len(scan.methods), MOST_COLUMNS, max(1, len(scaled)))
    n_lines = -(-len(scan.methods) // n_columns)
    size = (max(5.0, 1.0 + 3.1 * len(scaled)), 1.0 + 2.2 * len(heads) + 0.22 * n_lines)
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(len(heads), len(scaled), squeeze=False, sharex=True, sharey="row")
    for (row, head), (column, each) in itertools.product(enumerate(heads), enumerate(scaled)):
        axes = panels[row][column]
        low, high = _range(scan, head)
        for method, colour, marker in _styles(scan):
            _line(axes, scan, (method, each, head), (colour, marker), low)
        margin = MARGIN * (high - low)
        axes.set_ylim(low - margin, high + margin)
        _dress(axes, scan, head)
        if row == 0:
            axes.set_title(f"loss of {each} multiplied", fontsize=9)
        if row == len(heads) - 1:
            axes.set_xlabel("factor", fontsize=9)
        if column == 0:
            axes.set_ylabel(f"{head}: {scan.measures[head]}", fontsize=9)
    handles, labels = panels[0][0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside lower center", ncols=n_columns, frameon=False, fontsize=8
    )
    return figure


def _styles(scan: Scan) -> Iterator[tuple[str, str, str]]:
    """Yields each method with a colour and a marker; no two have both alike."""
    yield from zip(scan.methods, itertools.cycle(OF_LINES), itertools.cycle(MARKERS), strict=False)


def _range(scan: Scan, head: str) -> tuple[float, float]:
    """Returns the least and the greatest measure of a head that is drawn."""
    measure = scan.measures[head]
    curves = [scan.curve(method, each, head) for method in scan.methods for each in scan.scaled]
    known = np.concatenate([each.ravel() for each in curves])
    known = known[~np.isnan(known)]
    if not len(known):
        return 0.0, 1.0
    low = max(float(known.min()), LOWEST.get(measure, -np.inf))
    high = max(float(known.max()), low)
    rest = max(0.05 - (high - low), 0.0) / 2  # a flat line is to look flat
    return low - rest, high + rest


def _line(
    axes: Axes, scan: Scan, curve: tuple[str, str, str], style: tuple[str, str], low: float
) -> None:
    """Draws a curve: the mean over seeds and their range; a cross where a run broke off."""
    method, scaled, head = curve
    colour, marker = style
    values = scan.curve(method, scaled, head)
    means = values.mean(axis=1)
    axes.plot(
        scan.factors,
        means.clip(min=low),
        color=colour,
        marker=marker,
        markersize=5,
        markerfacecolor="none",  # of lines on each other all markers are to be seen
        markevery=[n for n, mean in enumerate(means) if mean >= low],
        linewidth=1.2,
        label=f"{method}: {CARES[scan.cares(method)]}",
    )
    if len(scan.seeds) > 1:
        ends = values.min(axis=1).clip(min=low), values.max(axis=1).clip(min=low)
        axes.fill_between(scan.factors, *ends, color=colour, alpha=0.18, linewidth=0)
    below = [factor for factor, mean in zip(scan.factors, means, strict=True) if mean < low]
    for sign, factors in (("v", below), ("x", _broken_at(scan, method, scaled))):
        at_the_edge = [low] * len(factors)
        axes.scatter(factors, at_the_edge, color=colour, marker=sign, s=60, linewidth=2, zorder=4)


def _broken_at(scan: Scan, method: str, scaled: str) -> list[float]:
    """Returns the factors of a curve at which a run failed or diverged."""
    rows = scan.broken[scan.broken["method"] == method]
    rows = rows[(rows["head"] == scaled) | (rows["head"] == NONE)]
    return sorted({float(factor) for factor in rows["factor"]})


def _dress(axes: Axes, scan: Scan, head: str) -> None:
    """Sets the scales of a panel, and the lines that a reader holds the curves against."""
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(numticks=MOST_TICKS + 2))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.axvline(1, color=GREY, linewidth=0.8, linestyle=":", zorder=0)
    chance = CHANCE.get(scan.measures[head])
    if chance is not None:
        axes.axhline(chance, color=GREY, linewidth=0.8, zorder=0)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
