"""Many random Jacobians at once, and what a method weighs their rows."""

import numpy as np
import tensorflow as tf

from steelyard.weighting.base import Weighting
from tests.weighting.signals import signals_of

MOST_TASKS = 8
N_PARAMETERS = 12


def drawn(n_tasks: int, n: int = 100, spread: float = 6.0) -> np.ndarray:
    """Returns random Jacobians [n, K, P] whose rows differ in length by up to 10^(2 spread)."""
    rng = np.random.default_rng(n_tasks)
    jacobians = rng.normal(size=(n, n_tasks, N_PARAMETERS))
    return jacobians * 10 ** rng.uniform(-spread, spread, (n, n_tasks, 1))


def weighed(method: Weighting, jacobians: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns a method's first weights [n, K] for each Jacobian [n, K, P], and its flags [n]."""
    n_tasks = jacobians.shape[1]

    @tf.function(autograph=False)
    def weigh_all(gramians: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        def weigh(gramian: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            signals = signals_of(np.eye(n_tasks), "float64")._replace(gramian=gramian)
            answer = method.weigh(signals, method.remember(n_tasks))
            return answer.weights, tf.convert_to_tensor(answer.is_stationary)

        return tf.map_fn(weigh, gramians, fn_output_signature=(tf.float64, tf.bool))

    weights, flags = weigh_all(jacobians @ jacobians.transpose(0, 2, 1))
    return weights.numpy(), flags.numpy()


def along(weights: np.ndarray, jacobians: np.ndarray) -> np.ndarray:
    """Returns the projections [n, K] of each weighted gradient on the rows' directions."""
    updates = np.einsum("nk,nkp->np", weights, jacobians)
    lengths = np.linalg.norm(jacobians, axis=2)
    return np.einsum("nkp,np->nk", jacobians, updates) / lengths
