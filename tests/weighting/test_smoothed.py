"""Smoothed, against means worked by hand, and with methods that ask for more than losses."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from steelyard.arrays import Array, Named, ops
from steelyard.construct import construct
from steelyard.weighting.base import Claim, Look, Signals, Weighing, Weighting
from steelyard.weighting.edm import EDM
from steelyard.weighting.fixed import Fixed
from steelyard.weighting.mgda import MGDA
from steelyard.weighting.nash_mtl import NashMTL
from steelyard.weighting.scale_invariant import ScaleInvariant
from steelyard.weighting.smoothed import Smoothed
from steelyard.weighting.uncertainty import Uncertainty
from tests.house.test_census import ROOT, configured
from tests.weighting.answers import answers
from tests.weighting.claims import MISSED, Trial
from tests.weighting.problems import drawn
from tests.weighting.signals import signals_of
from tests.weighting.steps import weights_over


@dataclass(frozen=True, kw_only=True)
class Asking(Weighting):
    """A method that asks for all there is, and finds its own memories under their own names."""

    paper: ClassVar[str] = ""
    needs_gramian: ClassVar[bool] = True
    needs_draws: ClassVar[bool] = True
    needs_losses_after: ClassVar[bool] = True
    needs_coordinates: ClassVar[bool] = True
    keeps: ClassVar[tuple[str, ...]] = ("mean", "seen")
    learns: ClassVar[frozenset[str]] = frozenset({"has_begun"})

    def check(self, n_tasks: int) -> None:
        if n_tasks > 3:
            raise ValueError(f"`n_tasks` must be at most 3, got {n_tasks}.")

    def remember(self, n_tasks: int) -> Named:
        return {"count": ops.zeros(()), "has_begun": ops.ones(n_tasks)}

    def weigh(self, signals: Signals, memory: Named) -> Weighing:
        weights = memory["has_begun"] * ops.cast(signals.draws[0] + signals.statistic, "float32")
        memory = {"count": memory["count"] + 1.0, "has_begun": memory["has_begun"]}
        return Weighing(weights, memory, memory["count"] > 1)

    def lesson(self, signals: Signals, memory: Named) -> Array:
        return signals.losses_after * memory["has_begun"] * memory["count"]

    def look(self, rows: Array, kept: Named, draws: Array, is_active: Array) -> Look:
        seen = {"mean": kept["mean"] + rows, "seen": kept["seen"] + 1.0}
        return Look(rows * draws, seen, ops.sum(rows, axis=1))


def test_the_first_step_is_the_method_s_and_the_next_ones_are_means() -> None:
    # The inverses of the losses, 1 and 1/2, then 1/3 and 1; 3/4 of the old and 1/4 of the new.
    method = Smoothed(method=ScaleInvariant(epsilon=1e-12), beta=0.75)
    found = weights_over(method, [1, 2], [3, 1], [1, 1])
    second = [0.75 + 0.25 / 3, 0.375 + 0.25]
    third = [0.75 * second[0] + 0.25, 0.75 * second[1] + 0.25]
    np.testing.assert_allclose(found, [[1, 0.5], second, third], rtol=1e-6)


def test_a_task_that_is_not_active_weighs_nothing_and_keeps_its_mean() -> None:
    method = Smoothed(method=ScaleInvariant(epsilon=1e-12), beta=0.5)
    counts = [[1, 0], [1, 1], [1, 0], [1, 1]]
    found = weights_over(method, [1, 0], [1, 2], [1, 0], [1, 4], counts=counts)
    np.testing.assert_allclose(found[:, 1], [0, 0.5, 0, 0.375], rtol=1e-6)
    np.testing.assert_allclose(found[:, 0], 1, rtol=1e-6)


def test_without_a_decay_it_is_the_method() -> None:
    rng = np.random.default_rng(0)
    problems = [drawn(rng, 3, 4) for _ in range(5)]
    for one, other in zip(
        answers(Smoothed(method=NashMTL(), beta=0.0), problems),
        answers(NashMTL(), problems),
        strict=True,
    ):
        for ours, own in zip(one, other, strict=True):
            np.testing.assert_allclose(ours.weights, own.weights * (own.weights > 0), rtol=1e-12)
            assert ours.is_stationary == own.is_stationary


@pytest.mark.parametrize("method", [MGDA(), EDM(), Fixed()], ids=lambda each: type(each).__name__)
def test_it_promises_what_outlasts_a_mean_and_keeps_it(method: Weighting) -> None:
    smoothed = Smoothed(method=method)
    lost = {Claim.NON_CONFLICTING, Claim.SCALE_FREE_DIRECTION}
    assert smoothed.claims == method.claims - lost
    trial = Trial(smoothed, seed=0, n_tasks=3)
    for claim in smoothed.claims:
        assert MISSED[claim](trial) < 1e-6
    for claim in lost & method.claims:
        assert MISSED[claim](trial) > 1e-3


def steps_of(method: Weighting, jacobians: Sequence[np.ndarray]) -> list[tuple[Weighing, Look]]:
    """Returns what a method that asks for all answers, step by step."""
    memory = method.remember(2)
    kept = {name: np.zeros_like(jacobians[0]) for name in method.keeps}
    found = []
    for jacobian in jacobians:
        draws = np.array([0.25, 0.5, 1.0])
        look = method.look(jacobian, kept, draws, np.array([True, True]))
        signals = signals_of(jacobian, statistic=np.asarray(look.statistic))
        weighing = method.weigh(signals, memory)
        memory, kept = weighing.memory, look.kept
        found.append((weighing, look))
    return found


@pytest.mark.parametrize("n_holders", [1, 2])
def test_all_that_a_method_asks_for_and_keeps_passes_through(n_holders: int) -> None:
    plain = Asking()
    method: Weighting = plain
    for _ in range(n_holders):
        method = Smoothed(method=method, beta=0.0)
    for fact in ("needs_gramian", "needs_draws", "needs_losses_after", "needs_coordinates"):
        assert getattr(method, fact)
    assert not set(method.keeps) & set(method.remember(2))
    assert method.learns <= set(method.remember(2))
    assert (len(method.keeps), len(method.learns)) == (2, 1)

    jacobians = [np.array([[1.0, 2, 3], [4, 5, 6]]), np.array([[0.0, 1, 0], [1, 0, 1]])]
    for held, own in zip(steps_of(method, jacobians), steps_of(plain, jacobians), strict=True):
        np.testing.assert_allclose(held[0].weights, own[0].weights, rtol=1e-6)
        assert bool(held[0].is_stationary) == bool(own[0].is_stationary)
        np.testing.assert_array_equal(held[1].rows, own[1].rows)
        for name in plain.keeps:
            np.testing.assert_array_equal(
                held[1].kept["held_" * n_holders + name], own[1].kept[name]
            )
        after = signals_of(jacobians[0], losses_after=np.array([3.0, 5]))
        np.testing.assert_allclose(
            method.lesson(after, held[0].memory), plain.lesson(after, own[0].memory)
        )
    with pytest.raises(ValueError, match="`n_tasks` must be at most 3, got 4"):
        method.check(4)


def test_what_is_learned_is_learned_under_it() -> None:
    rng = np.random.default_rng(0)
    problems = [drawn(rng, 3, 6)]
    smoothed = answers(Smoothed(method=Uncertainty(), beta=0.0), problems)[0]
    for held, own in zip(smoothed, answers(Uncertainty(), problems)[0], strict=True):
        np.testing.assert_array_equal(held.memory["held_log_noise"], own.memory["log_noise"])
        np.testing.assert_allclose(held.weights, own.weights)


def test_facts_of_one_method_are_not_those_of_another() -> None:
    assert Smoothed(method=NashMTL()).needs_gramian
    assert not Smoothed(method=Uncertainty()).needs_gramian
    assert not Smoothed(method=Fixed()).moves
    assert Smoothed(method=NashMTL()).loss_weights == "ignored"
    assert Smoothed(method=NashMTL()) == Smoothed(method=NashMTL())
    assert Smoothed(method=NashMTL()) != Smoothed(method=MGDA())


def test_its_configuration_holds_another_s() -> None:
    found = construct(configured(ROOT / "conf/weighting/smoothed.yaml"))
    assert found == Smoothed(method=NashMTL(), beta=0.9)


def test_refuses_what_is_no_decay_and_what_is_no_method() -> None:
    with pytest.raises(ValueError, match="`beta` must be at least 0 and below 1, got 1"):
        Smoothed(method=NashMTL(), beta=1)
    with pytest.raises(ValueError, match="`method` must be a weighting, got 'mgda'"):
        Smoothed(method="mgda")  # type: ignore[arg-type]  # as a configuration might have it
