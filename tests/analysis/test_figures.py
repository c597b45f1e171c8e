"""Figures: every point tells what it is, and there are only as many panels as can be looked at."""

import re
import xml.etree.ElementTree as ET
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from steelyard.analysis.front_figure import MOST_PANELS, front
from steelyard.analysis.hover import as_svg
from steelyard.analysis.ranking_figure import conflicts, ranking
from steelyard.analysis.recommend import recommend
from steelyard.analysis.study import Study
from tests.analysis.test_report import LOSSES, study


def test_a_point_tells_what_it_is_and_the_drawing_is_well_formed() -> None:
    figure = Figure(figsize=(2, 2))
    (line,) = figure.subplots().plot([0], [0], marker="o")
    line.set_gid("one")
    text = as_svg(figure, {"one": "a <b> & c\nd"}, "made")
    assert '<g id="one"><title>a &lt;b&gt; &amp; c\nd</title>' in text
    root = ET.fromstring(text)
    assert root.get("width") is None
    assert root.get("viewBox")
    assert text == as_svg(figure, {"one": "a <b> & c\nd"}, "made")


def test_two_drawings_of_one_page_share_no_name() -> None:
    def names(called: str) -> set[str]:
        figure = Figure(figsize=(2, 2))
        axes = figure.subplots()
        axes.errorbar([0], [0], xerr=[1], fmt="D")
        return set(re.findall(r'clip-path="url\(#(\w+)\)', as_svg(figure, {}, called)))

    assert names("front")
    assert not names("front") & names("ranking")


def test_the_front_tells_each_setting_on_each_pair_of_heads() -> None:
    given = study(*LOSSES)
    figure, titles = front(given, recommend(given))
    assert len(titles) == len(given.joint)
    (told,) = [each for each in titles.values() if each.startswith("age=0.01")]
    # 110 / 100 and 0.42 / 0.40
    assert told.endswith("loss / reference: age 1.100, gender 1.050")
    assert len([axes for axes in figure.axes if axes.get_visible()]) == 1


def test_a_setting_many_times_worse_than_the_best_is_drawn_at_its_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert _ranked().get_xscale() == "linear"
    monkeypatch.setitem(LOSSES, "equal", (100.0 * 50, 0.40))
    axes = _ranked()
    assert axes.get_xscale() == "log"
    drawn = [line.get_xdata()[0] for line in axes.get_lines() if line.get_gid()]
    score = (50 + 1) / 2 * 1.001  # of the seeds' mean
    assert max(drawn) == pytest.approx(score, rel=1e-3)
    low, high = axes.get_xlim()
    assert low < 1 < score < high


def _ranked() -> Any:
    given = study(*LOSSES)
    return ranking(given, recommend(given))[0].axes[0]


def test_the_ranking_begins_with_the_best_on_the_test() -> None:
    given = study(*LOSSES)
    figure, titles = ranking(given, recommend(given))
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert names == ["nash_mtl", "age=0.01", "inverse_start", "equal"]
    assert titles["rank-0"].startswith("nash_mtl: 1.037")


def wide(n_heads: int) -> Study:
    """Returns a study of many heads, two settings and two seeds."""
    heads = [f"head_{k}" for k in range(n_heads)]
    rng = np.random.default_rng(0)
    rows: list[dict[str, Any]] = []
    for setting in ("equal", "nash_mtl"):
        for seed in range(2):
            row: dict[str, Any] = {"setting": setting, "seed": seed, "status": "finished"}
            row["weighting"] = "nash_mtl" if setting == "nash_mtl" else "fixed"
            for head in heads:
                row |= {f"weight/{head}": 1.0, f"constant/{head}": 1.0}
                row |= {f"{split}/{head}/loss": rng.uniform(0.5, 1) for split in ("valid", "test")}
            rows.append(row)
    data = {"tasks": {head: {"kind": "regression", "unit": ""} for head in heads}}
    curves = pd.DataFrame([{"setting": "equal", "train/head_0 and head_2/cosine": -0.5}])
    return Study(name="wide", runs=pd.DataFrame(rows), curves=curves, data=data)


def test_forty_heads_make_as_many_panels_as_can_be_looked_at() -> None:
    given = wide(40)
    figure, titles = front(given, recommend(given))
    assert len(figure.axes) == MOST_PANELS
    assert len(titles) == 2 * MOST_PANELS


def test_the_cosine_of_two_heads_stands_at_both_places_of_the_matrix() -> None:
    figure = conflicts(wide(3), [("equal", "equal weights"), ("nash_mtl", "not measured")])
    assert figure is not None
    matrix = np.asarray(figure.axes[0].images[0].get_array())
    assert matrix[0, 2] == matrix[2, 0] == pytest.approx(-0.5)
    assert figure.axes[0].get_title() == "equal weights"
    assert len(figure.axes) == 2  # the matrix, and its colours
    assert conflicts(wide(3), [("nash_mtl", "not measured")]) is None
