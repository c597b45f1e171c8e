"""GradNorm against its closed form, which is where its learning must come to rest."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from steelyard.weighting.base import Signals
from steelyard.weighting.gradnorm import GradNorm
from steelyard.weighting.gradnorm_closed import GradNormClosed
from tests.weighting.signals import signals_of

START = [8.0, 5, 3]
LOSSES = np.array([2.0, 5, 2.4])  # down to 1/4, to 1 and to 4/5
LENGTHS = [1.0, 1e3, 1e-2]


def step_of(losses: Any = LOSSES, lengths: Any = LENGTHS, **changes: Any) -> Signals:
    """Returns the signals of a step whose tasks' gradients have these lengths."""
    return signals_of(np.diag(lengths), "float64", losses=np.array(losses), **changes)


def memory_of(logits: Any, start: Any = START) -> dict[str, Any]:
    """Returns what is known after the first steps."""
    return {
        "logits": tf.constant(logits, "float32"),
        "start": tf.constant(start, "float32"),
        "count": tf.constant(np.full(len(start), 10.0), "float32"),
    }


def slopes(method: GradNorm, signals: Signals, logits: Any, start: Any = START) -> np.ndarray:
    """Returns how the active tasks' terms change with each learned number [K]."""
    memory = memory_of(logits, start)
    with tf.GradientTape() as tape:
        tape.watch(memory["logits"])
        terms = tf.where(signals.is_active, method.lesson(signals, memory), 0)
        objective = tf.reduce_sum(terms)
    return tape.gradient(objective, memory["logits"]).numpy()


def learned(method: GradNorm, signals: Signals, n_steps: int = 900) -> np.ndarray:
    """Returns the weights [K] after as many steps that all look the same."""
    n_tasks = len(signals.losses)
    value, optimizer = keras.Variable(np.zeros(n_tasks)), keras.optimizers.Adam(0.025)
    optimizer.build([value])

    @tf.function(autograph=False)
    def descend() -> None:
        with tf.GradientTape() as tape:
            terms = method.lesson(signals, memory_of(np.zeros(n_tasks)) | {"logits": value.value})
            objective = tf.reduce_sum(terms)
        optimizer.apply([tape.gradient(objective, value.value)], [value])

    late = []
    for n in range(n_steps):
        descend()
        if n >= n_steps - 100:  # around the kinks of its objective it goes to and fro
            late.append(value.numpy())
    return np.asarray(method.weigh(signals, memory_of(np.mean(late, axis=0))).weights)


@pytest.mark.parametrize(
    ("alpha", "loss_weights"), [(1.5, [1.0, 1, 1]), (0.0, [1.0, 1, 1]), (1.5, [0.25, 4, 1])]
)
def test_it_comes_to_rest_at_the_closed_form(alpha: float, loss_weights: list[float]) -> None:
    signals = step_of(loss_weights=np.array(loss_weights))
    closed = GradNormClosed(alpha=alpha).weigh(signals, memory_of(np.zeros(3))).weights
    given = learned(GradNorm(alpha=alpha), signals)
    np.testing.assert_allclose(given, closed, rtol=0.02)
    lengths = given * LENGTHS / loss_weights
    np.testing.assert_allclose(lengths / lengths[1], (LOSSES / START) ** alpha, rtol=0.03)


def test_its_objective_is_zero_at_the_closed_form() -> None:
    method, signals = GradNorm(), step_of(loss_weights=np.array([0.25, 4, 1]))
    closed = np.asarray(GradNormClosed().weigh(signals, memory_of(np.zeros(3))).weights)
    at_rest = memory_of(np.log(closed / signals.loss_weights))
    np.testing.assert_allclose(method.weigh(signals, at_rest).weights, closed, rtol=1e-5)
    np.testing.assert_allclose(method.lesson(signals, at_rest), 0, atol=1e-6)


def test_a_slow_task_comes_to_weigh_more() -> None:
    signals = step_of([1, 1], [1, 1])
    given = slopes(GradNorm(), signals, [0, 0], start=[8, 2])
    assert given[1] < 0 < given[0]  # numbers move against their slopes


def test_the_terms_are_the_lengths_less_their_targets_in_parts_of_their_sum() -> None:
    # Lengths 3 and 1 of 4; ratios 1/4 and 1, targets 1/5 and 4/5.
    signals = step_of([1, 1], [3, 1])
    terms = GradNorm(alpha=1).lesson(signals, memory_of([0, 0], start=[4, 1]))
    np.testing.assert_allclose(terms, [0.75 - 0.2, 0.8 - 0.25], rtol=1e-6)


def test_the_pace_does_not_depend_on_the_unit() -> None:
    logits = [0.3, -1, 0.5]
    given = slopes(GradNorm(), step_of(), logits)
    assert np.abs(given).min() > 0.01
    small = step_of(1e-9 * LOSSES, 1e-9 * np.array(LENGTHS))
    np.testing.assert_allclose(
        slopes(GradNorm(), small, logits, 1e-9 * np.array(START)), given, rtol=1e-5
    )


def test_the_first_weights_are_the_loss_weights_at_a_sum_of_k() -> None:
    method = GradNorm()
    signals = step_of(loss_weights=np.array([3.0, 1, 2]))
    answer = method.weigh(signals, method.remember(3))
    np.testing.assert_allclose(answer.weights, [1.5, 0.5, 1], rtol=1e-6)
    alone = method.weigh(step_of([5], [7], loss_weights=np.array([3.0])), method.remember(1))
    np.testing.assert_allclose(alone.weights, [1])


def test_the_start_is_the_mean_of_the_first_steps_with_a_label() -> None:
    method = GradNorm(n_first_steps=2)
    memory = method.remember(2)
    for losses, counts in (([8, 5], [1, 1]), ([4, 0], [1, 0]), ([1, 7], [1, 1]), ([1, 1], [1, 1])):
        signals = step_of(losses, [1, 1], counts=np.array(counts))
        memory = method.weigh(signals, memory).memory
    np.testing.assert_allclose(memory["start"], [6, 6])
    np.testing.assert_allclose(memory["count"], [2, 2])
    np.testing.assert_allclose(memory["logits"], [0, 0])


@pytest.mark.parametrize("changes", [{"counts": np.array([1.0, 0, 1])}, {"lengths": [1, 0, 1e-2]}])
def test_a_task_that_takes_no_part_takes_no_share_and_stays(changes: dict[str, Any]) -> None:
    method, logits = GradNorm(), np.array([0.3, -1, 0.5])
    signals = step_of(**changes)
    expected = 2 * np.exp([0.3, 0.5]) / np.exp([0.3, 0.5]).sum()
    weights = np.asarray(method.weigh(signals, memory_of(logits)).weights)
    np.testing.assert_allclose(weights, [expected[0], 0, expected[1]], rtol=1e-6)
    pair = slopes(
        method, step_of(LOSSES[[0, 2]], [1, 1e-2]), logits[[0, 2]], start=[START[0], START[2]]
    )
    np.testing.assert_allclose(slopes(method, signals, logits), [pair[0], 0, pair[1]], rtol=1e-5)


@pytest.mark.parametrize("lengths", [[1.0, 1], [0, 0], [1e-30, 1e30]])
@pytest.mark.parametrize("losses", [[0.0, 0], [1, 0], [1e-30, 1e30]])
def test_nothing_odd_makes_a_slope_infinite(losses: list[float], lengths: list[float]) -> None:
    for start in (losses, [0, 0], [1e30, 1e-30]):
        given = slopes(GradNorm(), step_of(losses, lengths), [0, 0], start)
        assert np.isfinite(given).all()


def test_refuses_an_alpha_below_zero_and_no_first_step() -> None:
    with pytest.raises(ValueError, match="`alpha` must not be negative, got -1"):
        GradNorm(alpha=-1)
    with pytest.raises(ValueError, match="`n_first_steps` must be at least 1, got 0"):
        GradNorm(n_first_steps=0)
