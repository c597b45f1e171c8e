"""Hypervolumes of studies made by hand, on a scale that is written down."""

from typing import Any

import numpy as np
import pytest

from steelyard.analysis import sweep_summary
from steelyard.analysis.front import hypervolume
from steelyard.analysis.sweep_summary import Summary, summarise, volume
from tests.analysis.studies import made

ALONE = {"h0 alone": [0.2, 0.9], "h1 alone": [0.9, 0.4]}
LOSSES = {**ALONE, "equal": [0.4, 0.4], "b": [0.2, 0.8], "method": [0.3, 0.6]}


def summary(losses: dict[str, Any], **options: Any) -> Summary:
    return summarise(made(losses, methods=["method"], **options))


def test_alone_is_the_ideal_and_the_worst_fixed_setting_the_nadir() -> None:
    # Ratios: equal (2, 1), b (1, 2), the method (1.5, 1.5); so (1, 0), (0, 1) and (0.5, 0.5).
    found = summary(LOSSES)
    assert found.ideal == pytest.approx({"h0": 1, "h1": 1})
    assert found.nadir == pytest.approx({"h0": 2, "h1": 2})
    assert found.reference == 1.1
    assert found.highest == pytest.approx(1.21)
    fixed, methods, both = found.hypervolume_fixed, found.hypervolume_methods, found.hypervolume_all
    assert fixed is not None
    assert methods is not None
    assert both is not None
    assert fixed.mean == pytest.approx(2 * 0.1 * 1.1 - 0.1**2)
    assert methods.mean == pytest.approx(0.6**2)
    assert both.mean == pytest.approx(0.6**2 + 2 * 0.1 * 0.5)
    assert found.is_exact
    assert found.not_dominated == ["equal", "b"]
    assert found.ranked == ["equal", "method"]
    assert "the head alone, or the best fixed setting" in found.normalisation


def test_a_fixed_setting_better_than_alone_is_the_ideal() -> None:
    found = summary({**LOSSES, "b": [0.1, 0.8]})
    assert found.ideal == pytest.approx({"h0": 0.5, "h1": 1})


def test_without_heads_alone_the_best_fixed_settings_are_the_ideal() -> None:
    found = summary({name: values for name, values in LOSSES.items() if name not in ALONE})
    assert found.ideal == pytest.approx({"h0": 0.2, "h1": 0.4})
    assert found.nadir == pytest.approx({"h0": 0.4, "h1": 0.8})
    assert "alone" not in found.normalisation


def test_a_setting_that_loses_a_head_does_not_stretch_the_scale() -> None:
    found = summary({**LOSSES, "b": [0.2, 40.0]})
    assert found.nadir["h1"] == 3
    assert found.hypervolume_fixed is not None
    assert found.hypervolume_fixed.mean == pytest.approx(0.1 * 1.1)  # that of equal alone


def test_settings_that_are_alike_have_a_scale_of_some_width() -> None:
    found = summary({**ALONE, "equal": [0.2, 0.4], "b": [0.2, 0.4]})
    assert found.nadir == pytest.approx({"h0": 1.01, "h1": 1.01})
    assert found.hypervolume_fixed is not None
    assert found.hypervolume_fixed.mean == pytest.approx(1.21)


def test_a_sweep_with_one_setting_that_nothing_dominates_shows_no_trade_off() -> None:
    found = summary({**ALONE, "equal": [0.2, 0.4], "b": [0.3, 0.5], "c": [0.4, 0.6]})
    assert found.not_dominated == ["equal"]


def test_studies_without_methods_or_fixed_settings_or_runs_say_what_is_missing() -> None:
    no_methods = summary({**ALONE, "equal": [0.4, 0.4]})
    assert no_methods.hypervolume_methods is None
    assert no_methods.reasons == {"hypervolume_methods": "no method finished"}
    no_fixed = summary({**ALONE, "method": [0.3, 0.6]})
    assert no_fixed.hypervolume_methods is None
    assert no_fixed.methods == ["method"]
    assert set(no_fixed.reasons.values()) == {"no fixed setting finished to scale by"}
    assert no_fixed.ideal == {}
    nothing = summary(LOSSES, n_seeds=0)
    assert nothing.fixed == nothing.ranked == []
    assert nothing.reasons["hypervolume_fixed"] == "no run finished"
    zero = summary({**LOSSES, "h0 alone": [0.0, 0.9]})
    assert zero.hypervolume_all is None
    assert zero.reasons["hypervolume_all"].startswith("the reference loss of h0 must be above 0")


def test_one_head_has_a_length() -> None:
    found = summary({"h0 alone": [0.5], "equal": [1.0], "method": [0.75]})
    assert found.hypervolume_methods is not None
    assert found.hypervolume_methods.mean == pytest.approx(0.6)  # at 0.5, below 1.1


def test_volumes_of_many_points_over_many_heads_are_sampled_and_said_to_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    directions = np.abs(np.random.default_rng(0).normal(size=(5, 6)))
    points = 1 - directions / np.linalg.norm(directions, axis=1, keepdims=True)
    losses = {f"s{n}": point for n, point in enumerate(points)}  # none dominates another
    study = made({**losses, "method": [0.5] * 6}, methods=["method"], n_seeds=1)
    low, high = points.min(axis=0), points.max(axis=0)
    exact = hypervolume((points - low) / (high - low), 1.1)
    few = summarise(study)
    assert few.is_exact
    assert few.hypervolume_fixed == (pytest.approx(exact), 0, 5)
    monkeypatch.setattr(sweep_summary, "MOST_POINTS", 4)
    many = summarise(study)
    assert len(many.not_dominated) == 5
    assert not many.is_exact
    assert many.hypervolume_fixed is not None
    assert many.hypervolume_methods is not None
    assert many.hypervolume_fixed.half > 0
    assert abs(many.hypervolume_fixed.mean - exact) < 2 * many.hypervolume_fixed.half
    assert many.hypervolume_methods.half == 0


def test_forty_heads_have_a_volume_too() -> None:
    points = np.random.default_rng(0).random((20, 40))
    found = volume(points)
    assert 0 < found.half < 0.1 * found.mean
    assert found.high < 1.1**40
