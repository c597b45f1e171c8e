"""Draws `population.png` from the tables of `population.md`: nothing is measured for it.

python benchmarks/population_figure.py
"""

import re
from pathlib import Path

from matplotlib.figure import Figure

TABLES = Path(__file__).with_name("population.md")
PICTURE = TABLES.with_suffix(".png")
BARS = {  # what a row begins with, how it is called, and its colour (Okabe and Ito)
    "**population**": ("population", "#009e73"),
    "run by run": ("run by run, in one process", "#56b4e9"),
    "Keras, `fit`, `steps_per_execution`": ("Keras's fit, an epoch a call", "#e69f00"),
    "Keras, `fit`, imports": ("Keras's fit", "#d55e00"),
    "`steelyard train`": ("a process a run (with imports)", "#0072b2"),
}
ROW = re.compile(r"^\| (?P<name>[^|]+) \| (?P<seconds>[\d.]+) \|", re.MULTILINE)


def seconds_by_case(text: str) -> dict[str, dict[str, float]]:
    """Returns the seconds of each contender, by case, in the order of the tables."""
    found = {}
    for section in text.split("\n## ")[1:]:
        rows = {match["name"]: float(match["seconds"]) for match in ROW.finditer(section)}
        found[section.partition("\n")[0].strip("`")] = {
            begin: seconds
            for begin in BARS
            for name, seconds in rows.items()
            if name.startswith(begin)
        }
    return found


def draw(cases: dict[str, dict[str, float]]) -> None:
    """Draws a panel a case, each with its own scale: what counts are the ratios within."""
    figure = Figure(figsize=(9, 0.5 + 1.35 * len(cases)), layout="constrained")
    panels = figure.subplots(len(cases), 1, squeeze=False).flat
    for axes, (case, seconds) in zip(panels, cases.items(), strict=True):
        names = [BARS[begin][0] for begin in seconds]
        drawn = axes.barh(
            names, list(seconds.values()), color=[BARS[begin][1] for begin in seconds]
        )
        base = next(iter(seconds.values()))
        axes.bar_label(drawn, [f" {each:,.0f} s  ({each / base:.1f})" for each in seconds.values()])
        axes.invert_yaxis()
        axes.set_title(case, loc="left", fontsize=10)
        axes.set_xlim(right=1.22 * max(seconds.values()))
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=8)
    figure.supxlabel("seconds for the whole sweep (times the population's)", fontsize=9)
    figure.savefig(PICTURE, dpi=110, metadata={"Software": None})


if __name__ == "__main__":
    draw(seconds_by_case(TABLES.read_text(encoding="utf-8")))
