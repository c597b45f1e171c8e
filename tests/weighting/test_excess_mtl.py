"""ExcessMTL against numbers worked by hand."""

from collections.abc import Sequence

import numpy as np
import pytest

from steelyard.arrays import Named
from steelyard.weighting.excess_mtl import SMALL, ExcessMTL
from tests.weighting.signals import signals_of
from tests.weighting.steps import softmax

ALL = np.array([True, True])


def remembered(method: ExcessMTL, n_tasks: int) -> Named:
    return {name: np.asarray(each) for name, each in method.remember(n_tasks).items()}


def weights_over(
    method: ExcessMTL, *steps: Sequence[float], dtype: str = "float64", **changes: object
) -> tuple[np.ndarray, Named]:
    """Returns the weights [steps, K] for the excess risks [K] of each step, and the last memory."""
    n_tasks = len(steps[0])
    memory, given = remembered(method, n_tasks), []
    for risks in steps:
        signals = signals_of(np.eye(n_tasks), dtype, **changes)
        answer = method.weigh(signals._replace(statistic=np.array(risks, "float64")), memory)
        memory = {name: np.asarray(each) for name, each in answer.memory.items()}
        given.append(np.asarray(answer.weights))
    return np.stack(given), memory


def test_a_risk_is_of_squares_over_the_root_of_all_squares_so_far() -> None:
    method = ExcessMTL()
    rows = np.array([[3.0, 0, 4], [6, 8, 0]])
    first = method.look(rows, {"squares": np.zeros((2, 3))}, np.zeros(3), ALL)
    np.testing.assert_allclose(first.statistic, [7, 14], rtol=1e-6)
    np.testing.assert_allclose(first.kept["squares"], rows**2)
    np.testing.assert_array_equal(first.rows, rows)

    second = method.look(rows[::-1], first.kept, np.zeros(3), ALL)
    root = np.sqrt(45)  # of 9 + 36, and of 36 + 9
    np.testing.assert_allclose(second.statistic, [36 / root + 8, 9 / root + 4], rtol=1e-6)


def test_a_coordinate_that_no_task_moves_stays_as_it_is() -> None:
    squares = np.array([[4.0, 0], [9, 0]])
    look = ExcessMTL().look(np.zeros((2, 2)), {"squares": squares}, np.zeros(2), ALL)
    np.testing.assert_array_equal(look.kept["squares"], squares)
    np.testing.assert_array_equal(look.statistic, 0)


@pytest.mark.parametrize("gradient", [5.0, np.nan, np.inf])
def test_the_coordinates_of_a_task_that_is_not_active_stay(gradient: float) -> None:
    rows = np.array([[3.0], [gradient]], "float32")
    kept = {"squares": np.ones((2, 1), "float32")}
    look = ExcessMTL().look(rows, kept, np.zeros(1), np.array([True, False]))
    np.testing.assert_allclose(look.kept["squares"], [[10], [1]])
    np.testing.assert_allclose(look.statistic, [9 / np.sqrt(10), 0], rtol=1e-6)


def test_a_gradient_that_is_no_number_is_not_remembered_and_weighs_nothing() -> None:
    method = ExcessMTL()
    rows = np.array([[3.0, 1], [np.nan, 1], [np.inf, 1]])
    look = method.look(rows, {"squares": np.ones((3, 2))}, np.zeros(2), np.ones(3) > 0)
    np.testing.assert_allclose(look.kept["squares"], [[10, 2], [1, 2], [1, 2]])
    weights, memory = weights_over(method, np.asarray(look.statistic).tolist())
    np.testing.assert_array_equal(weights, [[1, 0, 0]])
    np.testing.assert_array_equal(memory["first"][1:], 0)


def test_the_first_weights_are_the_shares_of_the_loss_weights() -> None:
    np.testing.assert_allclose(weights_over(ExcessMTL(), [1e-6, 1, 1e6])[0], [[1 / 3] * 3])
    weights, _ = weights_over(ExcessMTL(), [1e-6, 1], loss_weights=np.array([3.0, 1]))
    np.testing.assert_allclose(weights, [[0.75, 0.25]])


def test_weights_follow_what_is_left_of_the_first_risk() -> None:
    # Halved and doubled, and then a quarter and the same again.
    steps = [[2e-6, 3], [1e-6, 6], [5e-7, 6]]
    weights, _ = weights_over(ExcessMTL(eta=0.3), *steps)
    np.testing.assert_allclose(weights[1], softmax(0.3 * 0.5, 0.3 * 2))
    np.testing.assert_allclose(weights[2], softmax(0.3 * 0.75, 0.3 * 4))
    given, _ = weights_over(ExcessMTL(eta=0.3), *steps, loss_weights=np.array([3.0, 1]))
    expected = softmax(0.3 * 0.75 + np.log(3), 0.3 * 4)
    np.testing.assert_allclose(given[2], expected)


def test_units_do_not_matter_where_they_are_well_above_the_small_number() -> None:
    rng = np.random.default_rng(0)
    found = []
    for factor in (1.0, 1e6):
        method, kept = ExcessMTL(eta=1.0), {"squares": np.zeros((2, 4))}
        memory = remembered(method, 2)
        rng = np.random.default_rng(0)
        for _ in range(5):
            rows = rng.normal(size=(2, 4)) * [[factor], [1]]
            look = method.look(rows, kept, np.zeros(4), ALL)
            kept = look.kept
            signals = signals_of(rows, "float64", statistic=np.asarray(look.statistic))
            answer = method.weigh(signals, memory)
            memory = answer.memory
        found.append(np.asarray(answer.weights))
    np.testing.assert_allclose(found[0], found[1], rtol=1e-4)
    assert abs(found[0][0] - 0.5) > 1e-2


def test_a_task_without_labels_keeps_its_share_of_all_weight() -> None:
    method = ExcessMTL(eta=1.0)
    _, memory = weights_over(method, [1, 1, 1], [3, 2, 1])
    before = softmax(3, 2, 1)
    signals = signals_of(np.eye(3), "float64", counts=np.array([1.0, 0, 1]))
    answer = method.weigh(signals._replace(statistic=np.array([5.0, 0, 0.5])), memory)
    np.testing.assert_allclose(answer.weights, np.insert(softmax(8, 1.5), 1, 0))

    after = method.weigh(
        signals_of(np.eye(3), "float64", statistic=np.array([1.0, 1, 1])), answer.memory
    )
    np.testing.assert_allclose(np.asarray(after.weights)[1], before[1])
    rest = np.asarray(after.weights)[[0, 2]]
    np.testing.assert_allclose(rest, softmax(8, 1.5) * (1 - before[1]))


def test_a_task_begins_with_its_share_whenever_it_begins() -> None:
    method = ExcessMTL(eta=1.0)
    weights, memory = weights_over(method, [1, 2, 0], [3, 2, 0], [3, 2, 9])
    np.testing.assert_allclose(weights[1], [*softmax(3, 1), 0])
    np.testing.assert_allclose(weights[2, 2] / weights[2].sum(), np.e / (np.e + grown(3, 1, 3, 1)))
    np.testing.assert_allclose(memory["first"], [1, 2, 9])


def grown(*ratios: float) -> float:
    """Returns what two tasks of weight 1 each, whose ratios are given for two steps, grow to."""
    earlier = softmax(*ratios[:2]) * 2  # they hold 2 together, and exchange it
    return float(earlier @ np.exp(ratios[2:]))


def test_one_task_weighs_one() -> None:
    weights, _ = weights_over(ExcessMTL(eta=1.0), [3e-6], [1e6], [2], loss_weights=np.array([7.0]))
    np.testing.assert_allclose(weights, 1)


def test_duplicates_weigh_the_same_and_no_gradients_nothing() -> None:
    weights, _ = weights_over(ExcessMTL(eta=1.0), [2, 2, 1], [1, 1, 3])
    assert weights[1, 0] == weights[1, 1]
    np.testing.assert_array_equal(weights_over(ExcessMTL(), [0, 0])[0], 0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_long_trainings_do_not_overflow(dtype: str) -> None:
    method = ExcessMTL(eta=1.0)
    steps = [[1e-6, 1.0, 1.0], *[[1e6, 2.0, 1e-300]] * 30]
    weights, memory = weights_over(method, *steps, dtype=dtype)
    np.testing.assert_array_equal(weights[-1], [1, 0, 0])
    assert np.isfinite(memory["log_v"]).all()
    _, memory = weights_over(method, *[[1.0, 2.0]] * 200, dtype=dtype)
    np.testing.assert_allclose(memory["log_v"], -np.log(2), rtol=1e-5)


def test_the_small_number_is_that_of_the_official_code() -> None:
    look = ExcessMTL().look(np.array([[1e-6]]), {"squares": np.zeros((1, 1))}, np.zeros(1), ALL[:1])
    np.testing.assert_allclose(look.statistic, [1e-12 / np.sqrt(SMALL + 1e-12)])


def test_refuses_a_step_backwards() -> None:
    with pytest.raises(ValueError, match="`eta` must not be negative, got -1"):
        ExcessMTL(eta=-1)
