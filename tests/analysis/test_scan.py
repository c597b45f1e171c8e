"""The tables and the picture of a scan: every number worked by hand."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection

from steelyard.analysis.scan import Point, Scan, rows_of
from steelyard.analysis.scan_figure import draw
from steelyard.analysis.scan_report import page, verdicts, write

MEASURES = {"age": "r2", "sex": "auc"}
FACTORS = (0.01, 1.0, 100.0)
Measured = Callable[[str, int, str, float, str], float]  # method, seed, scaled, factor, head


def scan(
    measured: Measured, *, seeds: int = 2, broken: tuple[Any, ...] = (), status: str = "diverged"
) -> Scan:
    """Returns a scan of two methods; those of the points named by `broken` broke off."""
    points = []
    for scaled, factor in [("", 1.0), *((h, f) for h in MEASURES for f in FACTORS if f != 1)]:
        for method in ("fixed", "nash_mtl"):
            for seed in range(seeds):
                test = {
                    f"{head}/{measure}": measured(method, seed, scaled, factor, head)
                    for head, measure in MEASURES.items()
                }
                record: dict[str, Any] | None = {"status": "finished", "best": test, "test": test}
                if (method, scaled, factor) == broken:
                    record = {"status": status, "test": {}} if status != "lost" else None
                points.append(Point(method, seed, scaled, factor, f"{len(points):016}", record))
    return Scan(measures=MEASURES, points=rows_of(points, MEASURES))


def felt(method: str, seed: int, scaled: str, factor: float, head: str) -> float:
    """Returns a measure: fixed weights lose half where the head is small; seeds differ by 0.02."""
    lost = 0.5 if method == "fixed" and scaled == head and factor < 1 else 0.0
    return 0.8 - lost + 0.02 * seed


def test_a_curve_is_a_head_s_measure_at_each_factor_and_shares_the_point_at_one() -> None:
    found = scan(felt)
    expected = [[0.3, 0.32], [0.8, 0.82], [0.8, 0.82]]
    np.testing.assert_allclose(found.curve("fixed", "age", "age"), expected)
    np.testing.assert_allclose(found.curve("fixed", "sex", "age"), [[0.8, 0.82]] * 3)
    assert (found.factors, found.scaled) == ([0.01, 1.0, 100.0], ["age", "sex"])
    assert (found.methods, found.seeds) == (["fixed", "nash_mtl"], [0, 1])


def test_the_area_is_the_mean_height_over_decades() -> None:
    found = scan(felt)
    # Heights 0.31, 0.81, 0.81 over two and two decades: (2 * 0.56 + 2 * 0.81) / 4.
    assert found.area("fixed", "age", "age") == pytest.approx(0.685)
    assert found.area("fixed", "sex", "age") == pytest.approx(0.81)
    assert found.move("fixed", "age").area == pytest.approx((0.685 + 0.81) / 2)


def test_a_move_is_told_with_its_worst_point_and_both_spreads() -> None:
    move = scan(felt).move("fixed", "age")
    assert move.at_one.mean == pytest.approx(0.81)
    assert move.worst == pytest.approx(0.31)
    assert move.worst_at == ("age", 0.01)
    # Five points, of which one is lower by 0.5: variance 0.5^2 (1/5 - 1/25) 5/4 = 0.05.
    assert move.over_factors == pytest.approx(math.sqrt(0.05))
    assert move.over_seeds == pytest.approx(0.02 / math.sqrt(2))
    assert move.ratio == pytest.approx(math.sqrt(0.05) / 0.02 * math.sqrt(2))


def test_a_method_cares_where_units_move_it_more_than_seeds_do() -> None:
    found = scan(felt)
    assert found.cares("fixed") is True
    assert found.cares("nash_mtl") is False
    assert found.move("nash_mtl", "age").over_factors == pytest.approx(0, abs=1e-12)


def test_what_seeds_do_as_well_is_no_care_for_units() -> None:
    rng = np.random.default_rng(0)
    assert scan(lambda *_: 0.5 + 0.1 * rng.normal(), seeds=20).cares("fixed") is False


def test_one_seed_tells_no_spread_over_seeds_and_a_small_move_is_none() -> None:
    found = scan(felt, seeds=1)
    assert math.isnan(found.move("fixed", "age").over_seeds)
    assert found.cares("fixed") is True
    small = scan(lambda *point: 0.8 + 0.01 * (point[3] < 1), seeds=1)
    assert small.cares("fixed") is False


def test_where_a_unit_is_fatal_the_seeds_spread_is_still_that_of_the_other_points() -> None:
    def fatal(method: str, seed: int, scaled: str, factor: float, head: str) -> float:
        return -90.0 * seed if factor > 1 and scaled == head else 0.8 + 0.02 * seed

    found = scan(fatal)
    assert found.move("fixed", "age").over_seeds == pytest.approx(0.02 / math.sqrt(2))
    assert found.cares("fixed") is True


@pytest.mark.parametrize("status", ["diverged", "failed", "lost"])
def test_a_run_that_broke_off_is_a_point_and_is_told(status: str) -> None:
    found = scan(felt, broken=("nash_mtl", "age", 100.0), status=status)
    told = "failed" if status == "lost" else status
    assert len(found.points) == 20
    assert list(found.broken["status"]) == [told, told]
    assert found.cares("nash_mtl") is (True if status == "diverged" else None)
    move = found.move("nash_mtl", "sex")
    assert (math.isnan(move.worst), move.worst_at) == (True, ("age", 100.0))
    assert math.isnan(move.area)
    assert move.over_factors == pytest.approx(0, abs=1e-12)  # of the points that are known
    text = page(found, "steelyard scan")
    assert f"| nash_mtl | sex | auc | 0.810 ± 0.13 | {told} | age x 100 | - |" in text
    assert text.count(f"| age x 100 | {told} | 00000000") == 2


@pytest.mark.parametrize("status", ["failed", "lost"])
def test_where_a_run_failed_it_cannot_be_said_and_why_is_told(status: str) -> None:
    """A worker that was killed says nothing of units."""
    found = scan(felt, broken=("nash_mtl", "age", 100.0), status=status)
    assert found.cares("nash_mtl") is None
    assert found.doubt("nash_mtl") == "2 of the 10 runs of nash_mtl failed or left no record"
    assert "| nash_mtl | **cannot be said** |" in page(found, "steelyard scan")
    assert found.doubt("fixed") == ""


def test_a_run_that_is_missing_leaves_the_answer_open() -> None:
    whole = scan(felt)
    is_lost = (whole.points["method"] == "nash_mtl") & (whole.points["factor"] == 100)
    found = Scan(measures=MEASURES, points=whole.points[~is_lost])
    assert found.cares("nash_mtl") is None
    assert found.doubt("nash_mtl") == "4 of the 10 runs of nash_mtl failed or left no record"


def test_what_the_other_runs_show_is_not_taken_back_by_one_that_failed() -> None:
    found = scan(felt, broken=("fixed", "sex", 100.0), status="failed")
    assert found.cares("fixed") is True
    assert found.doubt("fixed") == ""


@pytest.mark.parametrize(
    ("status", "why"),
    [
        ("diverged", "nash_mtl diverges in the losses' own units"),
        ("failed", "2 of the 10 runs of nash_mtl failed or left no record"),
    ],
)
def test_a_method_that_breaks_off_in_its_own_units_is_not_judged(status: str, why: str) -> None:
    found = scan(felt, broken=("nash_mtl", "", 1.0), status=status)
    assert found.cares("nash_mtl") is None
    assert found.doubt("nash_mtl") == why
    assert "| nash_mtl | **cannot be said** |" in page(found, "steelyard scan")


def test_the_verdict_names_the_head_that_is_moved_most() -> None:
    def uneven(method: str, seed: int, scaled: str, factor: float, head: str) -> float:
        return 0.8 + 0.02 * seed - (0.3 if head == "sex" and factor < 1 else 0.0)

    # Two of five points lower by 0.3: variance 0.3^2 (2/5 - 4/25) 5/4 = 0.027.
    row = verdicts(scan(uneven))[2]
    assert row == "| fixed | **cares about units** | sex | 0.16 | 0.014 | 11.6 | 0 |"


def test_a_measure_that_a_finished_run_lacks_is_unknown() -> None:
    found = rows_of([Point("fixed", 0, "", 1.0, "k", {"status": "finished"})], MEASURES)
    assert found["status"].tolist() == ["finished"]
    assert found["test/age/r2"].isna().all()


def test_the_picture_has_a_line_a_method_and_marks_what_broke_off_or_is_below() -> None:
    def low(method: str, seed: int, scaled: str, factor: float, head: str) -> float:
        return -7.0 if (method, scaled, factor) == ("fixed", "sex", 0.01) and head == "age" else 0.7

    figure = draw(scan(low, broken=("nash_mtl", "age", 100.0)))
    panels = np.array(figure.axes).reshape(2, 2)  # heads by scaled heads
    assert [each.get_ylabel() for each in panels[:, 0]] == ["age: r2", "sex: auc"]
    titles = [each.get_title() for each in panels[0]]
    assert titles == ["loss of age multiplied", "loss of sex multiplied"]
    for axes in panels.ravel():
        lines = [each for each in axes.lines if not each.get_label().startswith("_")]
        assert [each.get_label().partition(":")[0] for each in lines] == ["fixed", "nash_mtl"]

    def marked(axes: Any) -> list[list[float]]:
        """Returns the factors of the arrows and of the crosses, method by method."""
        found = [each for each in axes.collections if isinstance(each, PathCollection)]
        return [[float(x) for x, _ in each.get_offsets()] for each in found]

    nothing: list[float] = []
    assert marked(panels[0, 0]) == [nothing, nothing, nothing, [100.0]]
    assert marked(panels[0, 1]) == [[0.01], nothing, nothing, nothing]
    assert marked(panels[1, 1]) == [nothing] * 4
    assert panels[0, 1].get_ylim()[0] > -0.5


def test_a_scan_is_written_whole_and_the_same_again(tmp_path: Path) -> None:
    found = scan(felt)
    for folder in ("one", "two"):
        write(found, tmp_path / folder, "steelyard scan data=made")
    names = {path.name for path in (tmp_path / "one").iterdir()}
    assert names == {"scan.csv", "scan.md", "scan.png"}
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    rows = pd.read_csv(tmp_path / "one" / "scan.csv", dtype={"run_key": "string"})
    assert len(rows) == 20
    low = rows[(rows["method"] == "fixed") & (rows["head"] == "age") & (rows["factor"] == 0.01)]
    assert list(low["test/age/r2"]) == [0.3, 0.32]
    text = (tmp_path / "one" / "scan.md").read_text()
    assert "    steelyard scan data=made" in text
    assert "| fixed | age | r2 | 0.810 ± 0.13 | 0.310 | age x 0.01 | 0.748 |" in text
