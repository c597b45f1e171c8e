"""The best constant predictor of each loss: no other constant has a smaller one."""

import keras
import numpy as np
import pytest

from steelyard.data.labels import scale
from steelyard.task import HUBER_DELTA, Task
from steelyard.training.judge import mean_loss
from steelyard.training.measure import constant_outputs

AGE = Task(name="age", kind="regression")
INCOME = Task(name="income", kind="multiclass", classes=("low", "middle", "high"))


def test_the_best_constant_of_a_squared_error_leaves_the_variance() -> None:
    train = np.array([1.0, 2, 6, np.nan])
    loss = mean_loss(AGE, train, constant_outputs(AGE, train, 4))
    assert loss == pytest.approx(np.var([1.0, 2, 6]))


def test_the_best_constant_of_classes_leaves_their_entropy() -> None:
    train = np.array([0, 0, 1, 2, -1])
    loss = mean_loss(INCOME, train, constant_outputs(INCOME, train, 5))
    chances = np.array([0.5, 0.25, 0.25])
    assert loss == pytest.approx(-(chances * np.log(chances)).sum(), rel=1e-6)


def test_the_best_constant_of_an_absolute_error_is_the_median() -> None:
    task = Task(name="age", loss="mae")
    assert constant_outputs(task, np.array([1.0, 2, 9]), 1)[0, 0] == 2


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        ([0.0, 0.2, 0.7], 0.3),  # all within 1 of it: the mean
        ([0.0, 0.5, 30], 0.75),  # the two near ones pull by 0.75 + 0.25, the far one by 1
        ([0.0, 0.5, 30, np.nan, 31, -40], 0.75),  # two more far ones pull against each other
        ([7.0, 7, 7], 7),
    ],
)
def test_the_best_constant_of_huber_is_where_as_much_pulls_up_as_down(
    targets: list[float], expected: float
) -> None:
    task = Task(name="age", loss="huber")
    assert constant_outputs(task, np.array(targets), 2)[1] == pytest.approx([expected], rel=1e-6)


def test_no_other_constant_has_a_smaller_huber_loss() -> None:
    targets = np.random.default_rng(0).lognormal(0, 1.5, size=101)
    for task in (Task(name="age", loss="huber"), Task(name="age", loss="huber", standardize=True)):
        fitted = task.fitted(targets)
        best = constant_outputs(fitted, targets, len(targets))
        least = mean_loss(fitted, targets, best)
        scaled = fitted.scale(targets)
        for other in (np.mean(scaled), np.median(scaled), best[0, 0] - 0.05, best[0, 0] + 0.05):
            assert least < mean_loss(fitted, targets, np.full_like(best, other))
        keras_loss = keras.losses.Huber(delta=HUBER_DELTA)(scaled[:, None], best)
        assert least == pytest.approx(float(keras_loss), rel=1e-5)
        assert least == pytest.approx(scale(fitted, targets).constant, rel=1e-5)
