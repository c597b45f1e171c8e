"""WarmUp: fixed weights first, and then a method that has watched them."""

import numpy as np
import pytest

from steelyard.construct import construct
from steelyard.weighting.base import Claim
from steelyard.weighting.cagrad import CAGrad
from steelyard.weighting.dwa import DWA
from steelyard.weighting.inverse_norm import InverseNorm
from steelyard.weighting.nash_mtl import NashMTL
from steelyard.weighting.smoothed import Smoothed
from steelyard.weighting.uncertainty import Uncertainty
from steelyard.weighting.warm_up import WarmUp
from tests.house.test_census import ROOT, composed, configured
from tests.weighting.answers import answers
from tests.weighting.problems import drawn
from tests.weighting.signals import signals_of
from tests.weighting.steps import weights_over


def test_the_first_epochs_are_the_loss_weights_and_the_next_ones_the_method_s() -> None:
    losses = [[4.0, 1], [2, 1], [1, 1], [1, 1]]
    epochs, loss_weights = [0, 1, 2, 3], [0.5, 3]
    found = weights_over(
        WarmUp(method=DWA(), n_epochs=3), *losses, epochs=epochs, loss_weights=loss_weights
    )
    own = weights_over(DWA(), *losses, epochs=epochs, loss_weights=loss_weights)
    np.testing.assert_allclose(found[:3], [loss_weights] * 3)
    np.testing.assert_allclose(found[3], own[3], rtol=1e-6)
    assert abs(own[3] - loss_weights).max() > 0.01


def test_the_method_s_means_are_of_the_whole_training() -> None:
    rng = np.random.default_rng(0)
    problems = [drawn(rng, 3, 6) for _ in range(3)]
    method = InverseNorm()
    for problem, held, own in zip(
        problems,
        answers(WarmUp(method=method, n_epochs=2), problems),
        answers(method, problems),
        strict=True,
    ):
        for step in (2, 3, 4, 5):
            np.testing.assert_array_equal(held[step].weights, own[step].weights)
        for step in (0, 1):
            expected = problem.loss_weights * problem.is_active[step]
            np.testing.assert_array_equal(held[step].weights, expected)


def test_a_task_without_a_label_weighs_nothing_in_the_warm_up() -> None:
    found = weights_over(WarmUp(method=DWA()), [1, 0], counts=[[4, 0]])
    np.testing.assert_array_equal(found, [[1, 0]])


def test_no_step_of_the_warm_up_is_stationary() -> None:
    method = WarmUp(method=NashMTL())
    opposite = np.array([[1.0, 0], [-2, 0]])
    for epoch, expected in ((0, False), (1, True)):
        signals = signals_of(opposite, epoch=np.float32(epoch))
        answer = method.weigh(signals, method.remember(2))
        assert bool(answer.is_stationary) is expected


def test_what_is_learned_is_learned_from_the_first_step() -> None:
    problems = [drawn(np.random.default_rng(0), 3, 3)]
    held = answers(WarmUp(method=Uncertainty(), n_epochs=3), problems)[0]
    for one, other in zip(held, answers(Uncertainty(), problems)[0], strict=True):
        np.testing.assert_array_equal(one.memory["held_log_noise"], other.memory["log_noise"])


def test_it_promises_what_fixed_weights_and_the_method_both_keep() -> None:
    assert WarmUp(method=DWA()).claims == {Claim.SUMS_TO_K, Claim.EQUIVARIANT}
    assert WarmUp(method=NashMTL()).claims == {Claim.EQUIVARIANT}


def test_methods_are_held_by_configuration_alone() -> None:
    found = construct(configured(ROOT / "conf/weighting/warm_up.yaml"))
    assert found == WarmUp(method=NashMTL(), n_epochs=1)
    found = composed(
        "weighting=warm_up",
        "weighting@weighting.method=smoothed",
        "weighting@weighting.method.method=cagrad",
        "weighting.method.method.c=0.7",
    )
    assert construct(found.weighting) == WarmUp(method=Smoothed(method=CAGrad(c=0.7)))


def test_refuses_a_negative_number_of_epochs() -> None:
    with pytest.raises(ValueError, match="`n_epochs` must not be negative, got -1"):
        WarmUp(method=DWA(), n_epochs=-1)
