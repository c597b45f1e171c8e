"""What is told of the heads' gradients: numbers worked by hand, and the same training."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from steelyard.training.alarms import alarms
from steelyard.training.diagnosis import Diagnosis
from steelyard.training.weighed_model import WeighedModel
from steelyard.weighting.base import Weighting
from steelyard.weighting.fixed import Fixed
from steelyard.weighting.nash_mtl import NashMTL
from tests.training.networks import LOSSES, WEIGHTS, network, tokens
from tests.weighting.signals import signals_of

NONE = np.full((2, 2), np.nan)


def told(*steps: tuple[list[list[float]], list[float]], **changes: Any) -> dict[str, float]:
    """Returns what a diagnosis tells of steps, each of two gradients and their weights."""
    diagnosis = Diagnosis(("age", "class"), every=1)
    for rows, weights in steps:
        jacobian = np.array(rows, "float64")
        signals = signals_of(jacobian, **changes)
        gramian = tf.constant(jacobian @ jacobian.T)
        diagnosis.see(gramian, tf.constant(weights, tf.float32), signals)
    return diagnosis.told()


def test_lengths_angles_and_shares_are_those_of_the_rows() -> None:
    found = told(([[3, 4], [-2, 0]], [1, 5]))
    assert found["age/gradient_norm"] == pytest.approx(5)
    assert found["class/gradient_norm"] == pytest.approx(2)
    assert found["age/gradient_share"] == pytest.approx(5 / 15)
    assert found["class/gradient_share"] == pytest.approx(10 / 15)
    assert found["age and class/cosine"] == pytest.approx(-0.6)
    assert found["age and class/magnitude_similarity"] == pytest.approx(20 / 29)
    assert found["age and class/conflict_rate"] == 1
    assert found["condition_number"] == pytest.approx(np.linalg.cond([[3, 4], [-2, 0]]))


def test_an_epoch_s_numbers_are_means_over_its_steps() -> None:
    found = told(
        ([[1, 0], [0, 1]], [1, 1]), ([[1, 0], [1, 0]], [1, 1]), ([[3, 0], [-1, 0]], [1, 1])
    )
    assert found["age and class/cosine"] == pytest.approx(0, abs=1e-6)
    assert found["age and class/conflict_rate"] == pytest.approx(1 / 3)
    assert found["age/gradient_norm"] == pytest.approx(5 / 3)


def test_a_head_without_a_label_is_left_out() -> None:
    found = told(([[3, 4], [2, 0]], [1, 0]), counts=np.array([1.0, 0.0]))
    assert found["age/gradient_share"] == pytest.approx(1)
    assert not {name for name in found if name.startswith("class") or "and" in name}


def test_a_step_without_a_gramian_is_not_counted() -> None:
    diagnosis = Diagnosis(("age", "class"), every=1)
    signals = signals_of(np.eye(2))
    diagnosis.see(tf.constant(NONE), tf.ones(2), signals)
    assert diagnosis.told() == {}
    diagnosis.see(tf.eye(2, dtype=tf.float64), tf.ones(2), signals)
    assert diagnosis.told()["age/gradient_norm"] == pytest.approx(1)


def fitted(method: Weighting, every: int, epochs: int = 2) -> WeighedModel:
    words, targets = tokens()
    model = WeighedModel(network(dropout=0.2), method, diagnose_every=every)
    model.compile("rmsprop", loss=LOSSES, loss_weights=WEIGHTS)
    model.fit(words, targets, batch_size=16, epochs=epochs, shuffle=False, verbose=0)
    return model


def test_looking_changes_no_weight() -> None:
    one, other = fitted(Fixed(), 0), fitted(Fixed(), 2)
    for first, second in zip(one.network.get_weights(), other.network.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)
    assert one.diagnosis.told() == {}
    assert other.diagnosis.told()["age/gradient_norm"] > 0


@pytest.mark.parametrize(("every", "n_seen"), [(2, 3), (50, 1)])
def test_the_first_step_of_an_epoch_is_always_measured(every: int, n_seen: int) -> None:
    model = fitted(Fixed(), every)  # five steps an epoch
    np.testing.assert_array_equal(model.diagnosis.norms.told()[1], n_seen)


def test_a_method_that_takes_gradients_shows_every_one() -> None:
    model = fitted(NashMTL(), 50)
    np.testing.assert_array_equal(model.diagnosis.norms.told()[1], 5)


def history(**columns: list[float]) -> list[dict[str, float]]:
    n_epochs = len(next(iter(columns.values())))
    names = {name: name.replace("__", "/") for name in columns}
    return [
        {"epoch": float(n), **{f"train/{names[name]}": columns[name][n] for name in columns}}
        for n in range(n_epochs)
    ]


def test_a_head_that_holds_nearly_all_of_the_gradient_raises_an_alarm() -> None:
    rows = history(age__gradient_share=[0.99, 0.9, 0.97], b__gradient_share=[0.01, 0.1, 0.03])
    (found,) = alarms(rows, ["age", "b"], moves=False)
    assert found.startswith("age holds over 95% of the gradient of the shared layers in 2 of 3")
    assert alarms(rows, ["age"], moves=False) == []


def test_a_weight_that_rests_raises_an_alarm_where_it_should_move() -> None:
    rows = history(age__weight=[1.0] * 5, b__weight=[1, 1, 1.2, 1.3, 1.1])
    (found,) = alarms(rows, ["age", "b"], moves=True)
    assert found.startswith("the weight of age never moves")
    assert alarms(rows, ["age", "b"], moves=False) == []
    assert alarms(rows[:3], ["age", "b"], moves=True) == []


def test_a_weight_may_rest_where_nothing_conflicts() -> None:
    rows = history(age__weight=[1.0] * 5, b__weight=[1.0] * 5)
    for rate, n_alarms in ((0.0, 0), (0.2, 1)):
        told = [{**row, "train/age and b/conflict_rate": rate} for row in rows]
        assert len(alarms(told, ["age", "b"], moves=True)) == n_alarms


def test_a_loss_that_breaks_raises_an_alarm() -> None:
    rows = history(age__loss=[1.0, float("nan"), float("inf")], b__loss=[1.0, 1.0, 1.0])
    assert alarms(rows, ["age", "b"], moves=False) == [
        "the loss of age is not finite from epoch 2 on"
    ]
