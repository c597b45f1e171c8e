"""DB-MTL against numbers worked by hand."""

import numpy as np

from steelyard.weighting.db_mtl import DBMTL
from tests.weighting.signals import signals_of


def test_gradients_are_as_long_as_the_longest_of_the_log_losses() -> None:
    # Lengths 3 and 8, losses 6 and 2: of the log losses 1/2 and 4.
    signals = signals_of(np.diag([3.0, 8]), "float64", losses=np.array([6.0, 2]))
    weights = np.asarray(DBMTL().weigh(signals, {}).weights)
    np.testing.assert_allclose(weights, [4 / 3, 4 / 8])


def test_units_do_not_matter() -> None:
    signals = signals_of(np.diag([3e-6, 8]), "float64", losses=np.array([6e-6, 2]))
    weights = np.asarray(DBMTL().weigh(signals, {}).weights)
    np.testing.assert_allclose(weights, [4e6 / 3, 4 / 8])


def test_one_task_weighs_one_over_its_loss() -> None:
    signals = signals_of(np.diag([3.0]), "float64", losses=np.array([5.0]))
    np.testing.assert_allclose(DBMTL().weigh(signals, {}).weights, [0.2])


def test_tasks_without_a_gradient_a_label_or_a_logarithm_are_out() -> None:
    signals = signals_of(
        np.diag([3.0, 8, 0, 90, 90]),
        "float64",
        losses=np.array([6.0, 2, 1, 0, 1]),
        counts=np.array([1.0, 1, 1, 1, 0]),
    )
    weights = np.asarray(DBMTL().weigh(signals, {}).weights)
    np.testing.assert_allclose(weights, [4 / 3, 4 / 8, 0, 0, 0])
