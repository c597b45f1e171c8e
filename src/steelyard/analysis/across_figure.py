"""How each setting fares from condition to condition: a table of scores, and a line a setting."""

import itertools
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from steelyard.analysis.evidence import Estimate
from steelyard.analysis.front_figure import FARTHEST
from steelyard.analysis.log_axis import write_plainly
from steelyard.analysis.palette import GREEN, GREY, OF_LINES, ORANGE
from steelyard.analysis.recommend import recommend
from steelyard.analysis.study import EQUAL, Study

BEST_FIXED = "best fixed weights"
MARKERS = "osD^v<>ph*X"
DOTS_PER_INCH = 110


def scores(study: Study) -> dict[str, dict[str, Estimate | None]]:
    """Returns the test score of equal weights, of the best fixed ones and of each method.

    By setting and by condition. The best fixed weights are those that validation recommends in
    that condition; None where a setting was not tried there, or no run of it finished.
    """
    methods = [
        setting
        for part in study.parts.values()
        for setting in part.joint
        if part.is_method(setting)
    ]
    found: dict[str, dict[str, Estimate | None]] = {}
    for at, part in study.parts.items():
        answer = recommend(part)
        chosen = {EQUAL: EQUAL, BEST_FIXED: answer.setting if answer else ""}
        chosen |= {setting: setting for setting in dict.fromkeys(methods)}
        for name, setting in chosen.items():
            is_known = setting in part.settings
            score = part.score(setting, "test") if is_known else None
            found.setdefault(name, {})[at] = score
    return found


def draw(study: Study, folder: Path) -> None:
    """Draws each setting's test score against the condition, with 95 % intervals."""
    table = scores(study)
    places = {at: n for n, at in enumerate(study.parts)}
    figure = Figure(figsize=(8.6, 5.4), layout="constrained")
    axes = figure.subplots()
    looks = itertools.product(("-", "--", ":"), OF_LINES)
    markers = itertools.cycle(MARKERS)
    for name, by_condition in table.items():
        known = {places[at]: each for at, each in by_condition.items() if each is not None}
        means = [min(each.mean, FARTHEST) for each in known.values()]
        if name in {EQUAL, BEST_FIXED}:
            line, colour, width = "-", ORANGE if name == EQUAL else GREEN, 2.6
        else:
            (line, colour), width = next(looks), 1.1
        axes.errorbar(
            list(known),
            means,
            yerr=[np.nan_to_num(each.half) for each in known.values()],
            color=colour,
            linestyle=line,
            linewidth=width,
            marker=next(markers),
            markersize=5,
            elinewidth=0.6,
            label=name,
        )
    axes.axhline(1, color=GREY, linewidth=0.8, linestyle=":")
    axes.set_xticks(range(len(places)), list(places), fontsize=8)
    against = "alone" if study.has_references else "of the best constant"
    axes.set_ylabel(f"mean over the heads of test loss / {against}")
    axes.set_yscale("log")
    write_plainly(axes.yaxis)
    figure.legend(loc="outside right upper", frameon=False, fontsize=8)
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / "across.png", dpi=DOTS_PER_INCH, metadata={"Software": None})
