"""A step's signals, made by hand."""

import numpy as np

from steelyard.weighting.base import Signals, Weighing, Weighting


def signals_of(jacobian: np.ndarray, dtype: str = "float32", **changes: object) -> Signals:
    """Returns the signals of a step whose tasks' gradients are the rows of a matrix [K, P]."""
    n_tasks = len(jacobian)
    given: dict[str, object] = {
        "losses": np.ones(n_tasks, dtype),
        "counts": np.ones(n_tasks, dtype),
        "loss_weights": np.ones(n_tasks, dtype),
        "kinds": ("squared",) * n_tasks,
        "epoch": np.zeros((), dtype),
        "gramian": jacobian @ jacobian.T,
        "draws": np.random.default_rng(0).uniform(size=(n_tasks, n_tasks)),
    }
    changed = {
        name: np.asarray(value, dtype) if isinstance(value, np.ndarray) else value
        for name, value in changes.items()
    }
    return Signals(**{**given, **changed})  # type: ignore[arg-type]


def weigh(method: Weighting, *gradients: list[float]) -> tuple[np.ndarray, bool]:
    """Returns a method's first weights for these gradients, and its flag of stationarity."""
    jacobian = np.array(gradients, dtype="float64")
    answer: Weighing = method.weigh(signals_of(jacobian, "float64"), method.remember(len(jacobian)))
    return np.asarray(answer.weights), bool(np.asarray(answer.is_stationary))
