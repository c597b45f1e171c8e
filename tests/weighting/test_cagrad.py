"""CAGrad against answers worked out by hand, and against trying every set of tasks."""

import numpy as np
import pytest

from steelyard.weighting.cagrad import CAGrad
from tests.weighting import active_sets
from tests.weighting.signals import signals_of, weigh

HAND = 0.5 + 0.5 * np.sqrt(3 / 18)  # the first task is served worst, and gets all that is added


def test_the_hand_case() -> None:
    weights, is_stationary = weigh(CAGrad(), [-4, 1, 1], [6, 1, 1])
    np.testing.assert_allclose(weights, [0.704124, 0.5], atol=1e-6)
    np.testing.assert_allclose(weights, [HAND, 0.5], rtol=1e-9)
    assert not is_stationary


def test_two_tasks_that_can_be_served_alike_are() -> None:
    # On the sphere around (0.8, 0.2) through the origin, (1, 1) gives 1 to both.
    signals = signals_of(np.eye(2), "float64", loss_weights=np.array([4.0, 1]))
    np.testing.assert_allclose(CAGrad(c=1).weigh(signals, {}).weights, 1, rtol=1e-9)


def test_without_a_ball_it_is_the_mean_gradient() -> None:
    weights, _ = weigh(CAGrad(c=0), [-4, 1, 1], [6, 1, 1])
    np.testing.assert_allclose(weights, 0.5, rtol=1e-9)


@pytest.mark.parametrize(
    ("rescale", "divisor"), [("one_plus_c", 1.5), ("one_plus_c_squared", 1.25)]
)
def test_weights_are_rescaled(rescale: str, divisor: float) -> None:
    weights, _ = weigh(CAGrad(rescale=rescale), [-4, 1, 1], [6, 1, 1])  # type: ignore[arg-type]
    np.testing.assert_allclose(weights, np.array([HAND, 0.5]) / divisor, rtol=1e-9)


def test_loss_weights_are_shares() -> None:
    jacobian = np.array([[-4.0, 1, 1], [6, 1, 1]])
    signals = signals_of(jacobian, "float64", loss_weights=np.array([1.0, 3]))
    added = 0.5 * np.sqrt(3.5**2 + 2) / np.sqrt(18)
    np.testing.assert_allclose(CAGrad().weigh(signals, {}).weights, [0.25 + added, 0.75], rtol=1e-9)


def test_duplicate_gradients_share_what_is_added() -> None:
    weights, _ = weigh(CAGrad(), [-4, 1, 1], [-4, 1, 1], [18, 1, 1])
    added = 0.5 * np.sqrt((10 / 3) ** 2 + 2) / np.sqrt(18)
    expected = 1 / 3 + added / 2, 1 / 3 + added / 2, 1 / 3
    np.testing.assert_allclose(weights, expected, rtol=1e-6)


def test_one_gradient_weighs_one_and_c() -> None:
    weights, _ = weigh(CAGrad(), [3e-6, 4e-6])
    np.testing.assert_allclose(weights, [1.5], rtol=1e-9)


@pytest.mark.parametrize("gradient", [[0, 0, 0], [np.nan, 1, 1], [np.inf, 1, 1]])
def test_a_gradient_without_a_direction_is_out(gradient: list[float]) -> None:
    weights, is_stationary = weigh(CAGrad(), [-4, 1, 1], gradient, [6, 1, 1])
    np.testing.assert_allclose(weights, [HAND, 0, 0.5], rtol=1e-9)
    assert not is_stationary


def test_nothing_but_zero_gradients_weigh_nothing() -> None:
    weights, is_stationary = weigh(CAGrad(), [0, 0], [0, 0])
    np.testing.assert_array_equal(weights, 0)
    assert not is_stationary


def test_a_mean_gradient_of_zero_is_flagged() -> None:
    weights, is_stationary = weigh(CAGrad(), [2, 0], [-2, 0])
    np.testing.assert_allclose(weights, 0.5, rtol=1e-9)
    assert is_stationary


@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e6])
def test_opposite_gradients_are_flagged_if_the_ball_lets_them_cancel(scale: float) -> None:
    weights, is_stationary = weigh(CAGrad(c=1.5), [3 * scale, 0], [-1, 0])
    assert is_stationary
    np.testing.assert_allclose(weights[1], 3 * scale * weights[0], rtol=1e-6)
    _, is_stationary = weigh(CAGrad(c=0.5), [3 * scale, 0], [-1, 0])
    assert not is_stationary


def test_a_task_of_loss_weight_zero_is_out() -> None:
    jacobian = np.array([[-4.0, 1, 1], [0, -1, 0], [6, 1, 1]])
    signals = signals_of(jacobian, "float64", loss_weights=np.array([2.0, 0, 2]))
    np.testing.assert_allclose(CAGrad().weigh(signals, {}).weights, [HAND, 0, 0.5], rtol=1e-9)


@pytest.mark.parametrize(
    ("n_tasks", "c"), [(1, 0.5), (2, 0.5), (2, 1.5), (3, 0.5), (4, 0.1), (5, 1.5), (6, 0.5)]
)
def test_it_is_what_trying_every_set_of_tasks_finds(n_tasks: int, c: float) -> None:
    n_free = 0
    for rows, lengths, answer in active_sets.steps(CAGrad(c=c), n_tasks, n_problems=8):
        update = answer.weights * lengths @ rows
        mean = lengths @ rows / len(rows)
        size = np.linalg.norm(mean)
        if answer.is_stationary:
            assert np.linalg.norm(update - mean) <= c * size * (1 + 1e-6)
            assert np.min(rows @ update) >= -1e-6 * size
            continue
        n_free += 1
        wanted = active_sets.best_of_worst(rows, mean / size, lengths.min() / lengths, c)
        assert np.linalg.norm(update / size - wanted) <= 1e-6
    assert n_free > 0


@pytest.mark.parametrize("c", [0.5, 2.0])
def test_sixteen_tasks_leave_no_gap_to_the_dual(c: float) -> None:
    # min_k g_k . d <= g_v . g_0 + c ||g_0|| ||g_v|| for any convex v, and equal for the best.
    rng = np.random.default_rng(0)
    for _ in range(10):
        jacobian = rng.normal(size=(16, 20)) * 10 ** rng.uniform(-6, 6, (16, 1))
        weights = active_sets.asked(CAGrad(c=c), jacobian).weights
        update, mean = weights @ jacobian, jacobian.mean(axis=0)
        size, lengths = np.linalg.norm(mean), np.linalg.norm(jacobian, axis=1)
        added = np.maximum(weights - 1 / 16, 0)
        combined = added / added.sum() @ jacobian
        bound = combined @ mean + c * size * np.linalg.norm(combined)
        gaps = (jacobian @ update - bound) / lengths
        assert np.linalg.norm(update - mean) == pytest.approx(c * size)
        assert np.min(gaps) >= -1e-7 * size
        assert np.min(gaps) <= 1e-7 * size


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"c": -1.0}, "`c` must be at least 0, got -1.0."),
        ({"c": float("nan")}, "`c` must be at least 0, got nan."),
        (
            {"rescale": "half"},
            "`rescale` must be one of none, one_plus_c, one_plus_c_squared, got half.",
        ),
    ],
)
def test_a_knob_out_of_range_is_refused(knobs: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match="must be") as caught:
        CAGrad(**knobs)  # type: ignore[arg-type]
    assert str(caught.value) == message
