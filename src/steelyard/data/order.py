"""In which order a run sees its examples."""

import numpy as np


def order_of(n_examples: int, seed: int, epoch: int) -> np.ndarray:
    """Returns the order [N] of an epoch's examples, which depends on the seed and the epoch alone.

    A run that goes on at an epoch sees the order that it would have seen.
    """
    return np.random.default_rng([seed, epoch]).permutation(n_examples).astype("int32")
