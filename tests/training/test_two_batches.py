"""What two batches tell of noise: numbers worked by hand, and gradients that are known."""

from itertools import combinations

import numpy as np
import pytest

from steelyard.training.two_batches import TwoBatches, noise_of
from steelyard.training.weighed_model import WeighedModel
from tests.training.networks import LOSSES, network, tokens

N_ROWS = 16


def gramian_of(first: list[list[float]], second: list[list[float]]) -> np.ndarray:
    """Returns the inner products [2K, 2K] of rows on two batches."""
    jacobian = np.array([*first, *second], "float64")
    return jacobian @ jacobian.T


def test_gradients_that_are_alike_on_both_batches_have_no_noise() -> None:
    found = noise_of(gramian_of([[3, 4], [-2, 0]], [[3, 4], [-2, 0]])[None])
    assert found.shares == pytest.approx([0, 0], abs=1e-12)
    assert found.cosines[0, 1] == pytest.approx(-0.6)


def test_a_gradient_at_right_angles_to_itself_is_all_noise() -> None:
    found = noise_of(gramian_of([[1, 0], [1, 1]], [[0, 1], [1, 1]])[None])
    assert found.shares == pytest.approx([1, 0], abs=1e-12)
    assert np.isnan(found.cosines[0, 1])  # a faint signal has no angle


def test_a_reading_with_long_gradients_counts_no_more_than_another() -> None:
    silent = gramian_of([[1, 0]], [[1, 0]])
    noisy = gramian_of([[1000, 0]], [[0, 1000]])
    assert noise_of(np.stack([silent, noisy])).shares == pytest.approx([0.5])


@pytest.mark.parametrize("seed", range(3))
def test_the_angle_between_signals_is_found_under_noise(seed: int) -> None:
    rng = np.random.default_rng(seed)
    signals = np.zeros((2, 50))
    signals[:, :2] = [[1, 0], [np.cos(2.0), np.sin(2.0)]]
    grams = []
    for _ in range(400):
        rows = np.concatenate([signals, signals]) + 0.14 * rng.normal(size=(4, 50))
        grams.append(rows @ rows.T)
    found = noise_of(np.array(grams))
    assert found.shares == pytest.approx([0.495] * 2, abs=0.05)  # 50 * 0.14^2 = 0.98 against 1
    assert found.cosines[0, 1] == pytest.approx(np.cos(2.0), abs=0.05)


def test_a_head_without_a_gradient_has_no_share_of_noise() -> None:
    assert np.isnan(noise_of(gramian_of([[0, 0], [1, 0]], [[0, 0], [1, 0]])[None]).shares[0])


def test_the_same_batch_twice_shows_no_noise_in_a_network() -> None:
    texts, targets = tokens()
    model = WeighedModel(network(is_named=True))
    model.compile(loss=LOSSES)
    looked = TwoBatches(model, {"words": texts}, targets)
    rows = np.arange(N_ROWS, dtype="int32")
    gramian = looked.gramian(np.concatenate([rows, rows]))
    n_heads = len(model.heads)
    assert np.allclose(gramian[:n_heads, :n_heads], gramian[n_heads:, n_heads:])
    found = noise_of(gramian[None])
    assert found.shares == pytest.approx([0] * n_heads, abs=1e-6)
    lengths = np.sqrt(np.diag(gramian))
    for j, k in combinations(range(n_heads), 2):
        assert found.cosines[j, k] == pytest.approx(
            gramian[j, k] / lengths[j] / lengths[k], abs=1e-6
        )
