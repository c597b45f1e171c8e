"""Every method is held to every property it claims, and shown to lack every other."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls

from steelyard.arrays import Named, ops
from steelyard.weighting.base import Claim, Signals, Weighing, Weighting
from tests.house.test_census import METHODS, method_in
from tests.weighting.problems import Problem, answers, drawn, n_steps_of

CLASSES = [method_in(stem) for stem in METHODS]
MOST_TASKS = 8
TOLERANCE = 1e-6
BROKEN = 1e-3  # a claim missed by so much is no rounding
NEAR = 1e-4  # rows whose hull comes so near to zero may count as stationary

each_method = pytest.mark.parametrize("method", CLASSES, ids=lambda method: method.__name__)


def distance(one: np.ndarray, other: np.ndarray) -> float:
    """Returns how far apart two arrays are, in units of their own size."""
    size = np.linalg.norm(one) + np.linalg.norm(other)
    return 0.0 if size == 0 else float(2 * np.linalg.norm(one - other) / size)


def missed_by_order(method: Weighting, problem: Problem, rng: np.random.Generator) -> float:
    """Returns how far the answers are from equivariant.

    The swap of the first two tasks and the cycle of all of them generate every order.
    """
    order = np.arange(len(problem.jacobian))
    swap, cycle = order.copy(), np.roll(order, 1)
    swap[:2] = swap[:2][::-1]
    missed, given = [], list(answers(method, problem))
    for each in (swap, cycle):
        for plain, turned in zip(given, answers(method, problem.reordered(each)), strict=True):
            missed.append(distance(plain.weights[each], turned.weights))
            for name, kept in plain.memory.items():
                expected = kept[each] if kept.shape == order.shape else kept
                missed.append(distance(expected, turned.memory[name]))
    return float(np.max(missed))  # unlike `max`, it keeps what is not a number


def missed_by_scale(method: Weighting, problem: Problem, rng: np.random.Generator) -> float:
    """Returns how far the weighted gradient moves when the loss of one task is multiplied."""
    scaled = problem.scaled(rng.integers(len(problem.jacobian)), 10 ** rng.uniform(-6, 6))
    pairs = zip(answers(method, problem), answers(method, scaled), strict=True)
    missed = [
        distance(one.weights @ problem.rows(step), other.weights @ scaled.rows(step))
        for step, (one, other) in enumerate(pairs)
    ]
    return float(np.max(missed))


def missed_by_conflict(method: Weighting, problem: Problem, rng: np.random.Generator) -> float:
    """Returns how much the weighted gradient turns against a task, as a cosine.

    Where a method says that the rows are stationary, they must be, and nothing else is asked.
    """
    missed = []
    for step, answer in enumerate(answers(method, problem)):
        rows = problem.rows(step)[problem.is_active[step]]
        if answer.is_stationary:
            missed.append(0.0 if hull_distance(rows) < NEAR else 1.0)
            continue
        update = answer.weights @ problem.rows(step)
        sizes = np.linalg.norm(rows, axis=1) * np.linalg.norm(update)
        cosines = (rows @ update)[sizes != 0] / sizes[sizes != 0]
        missed.append(np.max(-cosines, initial=0.0))
    return float(np.max(missed))


def hull_distance(rows: np.ndarray) -> float:
    """Returns how near to zero the convex hull of the rows' directions comes.

    For w >= 0, the least ||U^T w||^2 + (sum_k w_k - 1)^2 is m^2 / (1 + m^2), with m the distance.
    """
    rows = rows[np.linalg.norm(rows, axis=1) > 0]
    if not len(rows):
        return 0.0
    directions = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    wanted = np.append(np.zeros(directions.shape[1]), 1.0)
    _, residual = nnls(np.vstack([directions.T, np.ones(len(rows))]), wanted)
    return float(residual / np.sqrt(max(1 - residual**2, 1e-300)))


MISSED = {
    Claim.EQUIVARIANT: missed_by_order,
    Claim.SCALE_FREE: missed_by_scale,
    Claim.NON_CONFLICTING: missed_by_conflict,
}


def miss(claim: Claim, method: Weighting, seed: int, n_tasks: int) -> float:
    """Returns by how much a method misses a claim on a random problem."""
    rng = np.random.default_rng(seed)
    problem = drawn(rng, n_tasks, n_steps_of(method))
    return MISSED[claim](method, problem, rng)


def pairs(*, are_declared: bool) -> Iterator[Any]:
    """Yields the claims that methods make, or those that they do not."""
    for method in CLASSES:
        for claim in Claim:
            if (claim in method.claims) == are_declared:
                yield pytest.param(method, claim, id=f"{method.__name__}-{claim.name}")


@pytest.mark.parametrize(("method", "claim"), pairs(are_declared=True))
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_method_does_what_it_claims(method: type[Weighting], claim: Claim, seed: int) -> None:
    for n_tasks in range(1, MOST_TASKS + 1):
        assert miss(claim, method(), seed, n_tasks) <= TOLERANCE, n_tasks


@pytest.mark.parametrize(("method", "claim"), pairs(are_declared=False))
def test_a_method_does_not_do_what_it_does_not_claim(method: type[Weighting], claim: Claim) -> None:
    assert any(miss(claim, method(), seed, n_tasks=3) > BROKEN for seed in range(100))


@each_method
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_there_is_a_finite_weight_for_each_task(method: type[Weighting], seed: int) -> None:
    for n_tasks in range(1, MOST_TASKS + 1):
        rng = np.random.default_rng(seed)
        problem = drawn(rng, n_tasks, n_steps_of(method()), is_odd=True)
        for answer in answers(method(), problem):
            assert answer.weights.shape == (n_tasks,)
            assert np.isfinite(answer.weights).all()


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
    assert any(miss(claim, ByPlace(), seed, n_tasks=3) > BROKEN for seed in range(100))


@pytest.mark.parametrize("angle", [1.0, 1e-2, 1e-3])
def test_the_distance_of_a_hull_is_measured(angle: float) -> None:
    rows = np.array([[-3.0, 3 * angle], [1.0, angle], [0.0, 0.0]])
    assert hull_distance(rows) == pytest.approx(angle / np.sqrt(1 + angle**2), rel=1e-6)
    assert hull_distance(np.array([[-3.0, 0], [1.0, 0]])) == pytest.approx(0, abs=1e-7)
