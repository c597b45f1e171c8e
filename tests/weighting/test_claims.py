"""Every method is held to every property it claims, and shown to lack every other."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steelyard.arrays import Named, ops
from steelyard.weighting.base import Claim, Look, Signals, Weighing, Weighting
from tests.house.test_census import METHODS, default_of
from tests.weighting.answers import answers
from tests.weighting.claims import MISSED, Trial, distance, hull_distance, pairs_of

INSTANCES = [default_of(stem) for stem in METHODS]
SIZES = (1, 2, 3, 8)  # numbers of tasks; as some are out in a step, those between are met too
TOLERANCE = 1e-6
BROKEN = 1e-3  # a claim missed by so much is no rounding

each_method = pytest.mark.parametrize("method", INSTANCES, ids=lambda each: type(each).__name__)


@each_method
@settings(max_examples=2, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_method_does_what_it_claims(method: Weighting, seed: int) -> None:
    for n_tasks in SIZES:
        trial = Trial(method, seed, n_tasks)
        missed = {claim.name: MISSED[claim](trial) for claim in Claim if claim in method.claims}
        assert all(miss <= TOLERANCE for miss in missed.values()), (n_tasks, missed)


def not_declared() -> Iterator[Any]:
    """Yields the claims that methods do not make."""
    for method in INSTANCES:
        for claim in Claim:
            if claim not in method.claims:
                yield pytest.param(method, claim, id=f"{type(method).__name__}-{claim.name}")


@cache
def trial_of_three(method: Weighting, seed: int) -> Trial:
    return Trial(method, seed, 3)


def is_broken(claim: Claim, method: Weighting) -> bool:
    """Returns whether there is an example in which a method breaks a claim."""
    return any(MISSED[claim](trial_of_three(method, seed)) > BROKEN for seed in range(8))


@pytest.mark.parametrize(("method", "claim"), not_declared())
def test_a_method_does_not_do_what_it_does_not_claim(method: Weighting, claim: Claim) -> None:
    assert is_broken(claim, method)


@each_method
@settings(max_examples=2, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_there_is_a_finite_weight_for_each_task(method: Weighting, seed: int) -> None:
    for n_tasks in SIZES:
        for steps in Trial(method, seed, n_tasks, is_odd=True).plain:
            for answer in steps:
                assert answer.weights.shape == (n_tasks,)
                assert np.isfinite(answer.weights).all()
                assert all(np.isfinite(each).all() for each in answer.memory.values())


@each_method
def test_a_task_that_is_out_disturbs_nobody(method: Weighting) -> None:
    problems = trial_of_three(method, 0).problems
    with_it = answers(method, [each.with_weight(2, 0.0) for each in problems])
    without = answers(method, [each.of_first(2) for each in problems])
    for one, other in pairs_of(with_it, without):
        assert distance(one.weights[:2], other.weights) <= TOLERANCE


@pytest.mark.parametrize(
    "method",
    [each for each in INSTANCES if each.needs_coordinates],
    ids=lambda each: type(each).__name__,
)
def test_coordinates_are_treated_one_by_one(method: Weighting) -> None:
    rng = np.random.default_rng(0)
    rows, draws = rng.normal(size=(3, 9)), rng.uniform(size=9)
    rows[:, 4] = 0
    kept = {name: np.abs(rng.normal(size=rows.shape)) for name in method.keeps}
    is_active = np.array([True, False, True])

    def look(places: slice) -> Look:
        part = {name: each[:, places] for name, each in kept.items()}
        return method.look(rows[:, places], part, draws[places], is_active)

    whole, parts = look(slice(9)), [look(slice(5)), look(slice(5, 9))]
    together = np.concatenate([part.rows for part in parts], axis=1)
    np.testing.assert_allclose(whole.rows, together, rtol=1e-12)
    np.testing.assert_allclose(whole.statistic, sum(part.statistic for part in parts), rtol=1e-12)
    np.testing.assert_array_equal(whole.rows[:, 4], 0)
    for name in method.keeps:
        together = np.concatenate([part.kept[name] for part in parts], axis=1)
        np.testing.assert_allclose(whole.kept[name], together, rtol=1e-12)
        np.testing.assert_array_equal(whole.kept[name][:, 4], kept[name][:, 4])
        np.testing.assert_array_equal(whole.kept[name][1], kept[name][1])


def test_every_claim_is_measured() -> None:
    assert set(MISSED) == set(Claim)


@dataclass(frozen=True, kw_only=True)
class ByPlace(Weighting):
    """A method that breaks every claim: it weighs a task by its place."""

    paper: ClassVar[str] = ""

    def weigh(self, signals: Signals, memory: Named) -> Weighing:
        return Weighing(ops.cast(ops.arange(1, len(signals.kinds) + 1), "float64"), memory)


@pytest.mark.parametrize("claim", Claim, ids=lambda claim: claim.name)
def test_a_method_that_goes_by_place_is_found_out(claim: Claim) -> None:
    assert is_broken(claim, ByPlace())


@pytest.mark.parametrize("angle", [1.0, 1e-2, 1e-3])
def test_the_distance_of_a_hull_is_measured(angle: float) -> None:
    rows = np.array([[-3.0, 3 * angle], [1.0, angle], [0.0, 0.0]])
    assert hull_distance(rows) == pytest.approx(angle / np.sqrt(1 + angle**2), rel=1e-6)
    assert hull_distance(np.array([[-3.0, 0], [1.0, 0]])) == pytest.approx(0, abs=1e-7)
