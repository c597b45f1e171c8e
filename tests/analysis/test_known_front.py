"""Two heads that pull one vector to two places: the front is known, and the measures find it.

Head k's loss is mean_i (v_i - c_ki)^2. Whatever is best by some weights lies on the line from c_1
to c_2: at share s of the way the losses are D s^2 and D (1 - s)^2, with D = mean_i (c_1i - c_2i)^2
and s the second head's share of the weights. So sqrt(L_1) + sqrt(L_2) = sqrt(D) on the front.
"""

import math

import keras
import numpy as np
import pytest
from scipy import integrate

from steelyard import WeighedModel
from steelyard.analysis.evidence import non_dominated
from steelyard.analysis.front import distance_to_front, hypervolume, igd, igd_plus

TARGETS = np.array([[1.0, -2.0, 0.5, 3.0], [0.0, 1.0, -0.5, 1.0]])
D = float(np.mean((TARGETS[0] - TARGETS[1]) ** 2))
CORNER = 1.1 * D
LOW, HIGH = 0.02, 0.98  # the shares that are swept
LENGTH = D * integrate.quad(lambda s: 2 * math.hypot(s, 1 - s), 0, 1)[0]


def on_the_front(shares: np.ndarray) -> np.ndarray:
    """Returns the losses of both heads [N, 2] at shares [N] of the way."""
    return D * np.stack([shares**2, (1 - shares) ** 2], axis=1)


def analytic_volume() -> float:
    """Returns what the front dominates between the swept shares, below the corner.

    Left of the first point there is nothing; then L_2(s) dL_1 falls away below the curve; and right
    of the last one its own height goes on to the corner.
    """
    below = integrate.quad(lambda s: (CORNER - D * (1 - s) ** 2) * 2 * D * s, LOW, HIGH)[0]
    return float(below + (CORNER - D * HIGH**2) * (CORNER - D * (1 - HIGH) ** 2))


def check(found: np.ndarray) -> None:
    """Holds points [N, 2] of a sweep against the front that is known."""
    line = on_the_front(np.linspace(0, 1, 2001))
    assert igd(line, found) < 1e-2 * LENGTH  # of each point to the nearest place on the line
    assert igd_plus(found, line) < 1e-2 * LENGTH
    assert non_dominated(found).all()
    volume = hypervolume(found, CORNER)
    assert volume == pytest.approx(analytic_volume(), rel=1e-2)
    assert volume < analytic_volume()  # steps stay behind the curve


def descended(shares: np.ndarray, n_steps: int = 60) -> np.ndarray:
    """Returns the losses [N, 2] that gradient descent ends at, for each share of the weights."""
    weights = np.stack([1 - shares, shares], axis=1)  # [N, 2]
    vectors = np.zeros((len(shares), TARGETS.shape[1]))
    for _ in range(n_steps):
        gaps = vectors[:, None] - TARGETS  # [N, 2, 4]
        vectors -= 0.2 * np.einsum("nk,nki->ni", weights, 2 * gaps)
    return np.asarray(np.mean((vectors[:, None] - TARGETS) ** 2, axis=2))


def trained(shares: np.ndarray) -> np.ndarray:
    """Returns the losses [N, 2] that a model ends at, for each share of the loss weights."""
    inputs = keras.Input((1,))
    vector = keras.layers.Dense(TARGETS.shape[1], use_bias=False, kernel_initializer="zeros")
    shared = vector(inputs)
    heads = {name: keras.layers.Identity(name=name)(shared) for name in ("first", "second")}
    model = WeighedModel(keras.Model(inputs, heads))
    model.compile(keras.optimizers.SGD(1.6), loss=dict.fromkeys(heads, "mse"))
    x = np.ones((8, 1), dtype="float32")
    y = {name: np.tile(c, (8, 1)).astype("float32") for name, c in zip(heads, TARGETS, strict=True)}
    losses = []
    for share in shares:
        model.loss_weights.assign({"first": float(1 - share), "second": float(share)})
        for _ in range(12):  # each leaves a fifth of the way: 1 - 1.6 * 2 / 4
            model.train_on_batch(x, y)
        (found,) = vector.get_weights()  # [1, 4]
        losses.append(np.mean((found - TARGETS) ** 2, axis=1))
    told = model.evaluate(x, y, verbose=0, return_dict=True)
    assert [told["first_loss"], told["second_loss"]] == pytest.approx(losses[-1], rel=1e-5)
    return np.array(losses)


def test_descent_by_many_weights_finds_the_front_that_is_known() -> None:
    check(descended(np.linspace(LOW, HIGH, 61)))


def test_points_off_the_known_front_lie_behind_it_by_as_much_as_they_are_off() -> None:
    line = on_the_front(np.linspace(0, 1, 2001))
    ahead, behind = (on_the_front(np.array([0.5]))[0] + shift for shift in (-0.1, 0.1))
    assert distance_to_front(behind, line) == pytest.approx(0.1, abs=1e-3)
    assert distance_to_front(ahead, line) == pytest.approx(-0.1, abs=1e-3)


def test_few_weights_find_points_on_the_front_but_less_of_its_volume() -> None:
    few = hypervolume(descended(np.linspace(LOW, HIGH, 7)), CORNER)
    assert 0.9 * analytic_volume() < few < 0.97 * analytic_volume()


@pytest.mark.slow
def test_a_model_trained_by_many_weights_finds_the_front_that_is_known() -> None:
    shares = np.linspace(LOW, HIGH, 45)
    found = trained(shares)
    check(found)
    assert found == pytest.approx(on_the_front(shares), abs=1e-2 * D)
    fifteen = found[::3]  # as a small study would sweep
    exact = hypervolume(on_the_front(shares[::3]), CORNER)
    assert hypervolume(fifteen, CORNER) == pytest.approx(exact, rel=1e-2)
