"""What two batches tell of the heads' gradients: how much is noise, and the angles without it."""

from itertools import combinations
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from steelyard.arrays import Array, Gramian, Named, ops
from steelyard.data.tensors import tensors_of
from steelyard.training.passes import Passes
from steelyard.training.rows import rows_of
from steelyard.training.task_losses import task_losses
from steelyard.training.weighed_model import WeighedModel

FAINT = 0.02  # a signal below this share of a gradient's square has no angle worth telling


class Noise(NamedTuple):
    """How much of the heads' gradients differs from batch to batch."""

    shares: np.ndarray  # of each squared gradient's length [K]; NaN where it is zero
    cosines: dict[tuple[int, int], float]  # of the gradients without noise, by pair; NaN if faint


class TwoBatches:
    """Compares the heads' gradients on one batch with those on another; moves no weight.

    Args:
        model: The model, compiled.
        inputs: All training examples, by name.
        targets: Their targets, as the heads are trained on them.
    """

    def __init__(self, model: WeighedModel, inputs: Named, targets: Named) -> None:
        self.model = model
        self.examples = tensors_of(inputs), tensors_of(targets)
        self._traced = tf.function(self._gramian, autograph=False)

    def gramian(self, rows: np.ndarray) -> np.ndarray:
        """Returns the inner products [2K, 2K]: of the first half of the examples, then the second.

        The gradients are those on the shared parameters.
        """
        found: np.ndarray = self._traced(*self.examples, tf.constant(rows)).numpy()
        return found

    def _gramian(self, inputs: Named, targets: Named, rows: Array) -> Gramian:
        model, half = self.model, tf.shape(rows)[0] // 2
        by_task: list[Array] = []
        with tf.GradientTape(persistent=True) as tape:
            for some in (rows[:half], rows[half:]):
                given, wanted = tf.nest.map_structure(
                    lambda each, some=some: tf.gather(each, some), (inputs, targets)
                )
                outputs = model.network(given, training=True)
                told = task_losses(model.heads, model.head_losses, wanted, outputs, None)
                by_task += told.by_task
        n_heads = len(model.heads)
        passes = Passes(
            tape=tape,
            by_task=by_task,
            penalty=None,
            variables=model.trainable_variables,
            unit=ops.ones(()),
        )
        gradients = passes.of_each(passes.variables, ops.ones(2 * n_heads))
        total = tf.zeros((2 * n_heads, 2 * n_heads), tf.float64)
        for given in zip(*gradients, strict=True):
            if sum(each is not None for each in given[:n_heads]) > 1:
                total = total + rows_of(given).gramian()
        return total


def noise_of(gramians: np.ndarray) -> Noise:
    """Returns the noise that Gramians of two batches [readings, 2K, 2K] tell.

    With g and h a head's gradients on two batches, E<g, h> is the square of the gradient on all
    examples, and E<g, g> that plus the variance: the noise's share is 1 - <g, h> / <g, g>
    (McCandlish et al. 2018, appendix A.1, by an inner product in place of two sizes of batch). The
    cosine of two heads without noise is of <g_j, h_k>. Each reading counts the same, whatever the
    gradients' lengths at it.
    """
    n_heads = gramians.shape[1] // 2
    first, second = slice(None, n_heads), slice(n_heads, None)
    own = np.einsum("nkk->nk", gramians)
    squares = (own[:, first] + own[:, second]) / 2  # [readings, K]
    lengths = np.sqrt(np.where(squares > 0, squares, np.nan))
    across = gramians[:, first, second]
    across = (across + across.transpose(0, 2, 1)) / 2 / (lengths[:, :, None] * lengths[:, None, :])
    signals = _mean(across)  # [K, K]
    strengths = np.diag(signals)
    cosines = {}
    for j, k in combinations(range(n_heads), 2):
        is_clear = min(strengths[j], strengths[k]) > FAINT
        cosine = signals[j, k] / np.sqrt(strengths[j] * strengths[k]) if is_clear else np.nan
        cosines[j, k] = float(np.clip(cosine, -1.0, 1.0))
    return Noise(np.clip(1.0 - strengths, 0.0, 1.0), cosines)


def _mean(values: np.ndarray) -> np.ndarray:
    """Returns the mean over readings of what is known; NaN where nothing is."""
    known = np.isfinite(values)
    total = np.where(known, values, 0.0).sum(axis=0)
    counts = known.sum(axis=0)
    return np.where(counts > 0, total / np.maximum(counts, 1), np.nan)
