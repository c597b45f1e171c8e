"""What a head gains and loses, and how sure a score is, on studies made by hand."""

import math

import numpy as np
import pytest

from steelyard.analysis.changes import change_of
from steelyard.analysis.evidence import estimate, paired
from tests.analysis.studies import made

SEEDS = np.array([[0.0], [0.1], [0.2]])
NOISE = np.array([[0.001], [0.0], [-0.001]])


def test_what_is_won_back_is_counted_over_the_seeds_that_all_finished() -> None:
    """Seeds differ by more than settings do: means over other seeds would turn the sign."""
    losses = {
        "h0 alone": 0.3 + SEEDS + NOISE,
        "equal": 0.5 + SEEDS,
        "a": 0.4 + SEEDS - NOISE,
    }
    statuses = {("equal", 0): "failed"}
    study = made(losses, kind="binary", statuses=statuses)
    found = change_of(study, "a", "h0", "auc", more_is_better=True)
    assert found.equal_loses
    assert found.won_back == pytest.approx(0.5, abs=0.01)


def test_nothing_is_won_back_where_the_gain_is_not_clear() -> None:
    losses = {"h0 alone": 0.3 + NOISE, "equal": 0.5 + NOISE * 0, "a": 0.4 + SEEDS - 0.1}
    study = made(losses, kind="binary")
    found = change_of(study, "a", "h0", "auc", more_is_better=True)
    assert found.equal_loses
    assert math.isnan(found.won_back)
    worse = made({**losses, "a": 0.7 + NOISE * 0}, kind="binary")
    assert math.isnan(change_of(worse, "a", "h0", "auc", more_is_better=True).won_back)
    found = change_of(made(losses, n_seeds=1), "a", "h1", "r2", more_is_better=True)
    assert found.equal_loses is None


def test_a_score_is_as_sure_as_what_it_is_held_against() -> None:
    """A setting that is its reference has a score of 1 for sure; a steady one has the other's."""
    alone = 0.4 + SEEDS
    study = made({"h0 alone": alone, "same": alone, "steady": alone * 0 + 0.5})
    assert study.has_references
    same, steady = study.score("same"), study.score("steady")
    assert same.mean == pytest.approx(1)
    assert same.half == pytest.approx(0, abs=1e-12)
    reference = estimate(alone[:, 0].tolist())
    assert steady.mean == pytest.approx(1)
    assert steady.half == pytest.approx(reference.half / reference.mean)
    assert paired(study.scores("same"), study.scores("steady")).half > 0


def test_the_interval_of_a_score_covers_the_truth_as_often_as_it_says() -> None:
    generator = np.random.default_rng(0)
    n_covered = 0
    for _ in range(300):
        alone, joint = generator.normal(1, 0.05, size=(2, 5, 1))
        score = made({"h0 alone": alone, "a": 1.3 * joint}).score("a")
        n_covered += abs(score.mean - 1.3) <= score.half
    assert n_covered >= 0.92 * 300
