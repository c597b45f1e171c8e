"""Examples to batches: in an order of each epoch's own, gathered by TensorFlow."""

import numpy as np
import tensorflow as tf

from steelyard.arrays import Named


class Batches:
    """Batches of named arrays, in an order that depends on the seed and the epoch alone.

    The order is a variable, so that one dataset serves every epoch and nothing is traced again;
    a run that resumes at epoch e sees the order that it would have seen.
    """

    def __init__(self, inputs: Named, targets: Named, batch_size: int, seed: int) -> None:
        self.n_examples = len(next(iter(targets.values())))
        self.n_steps = -(-self.n_examples // batch_size)
        self._seed = seed
        self._order = tf.Variable(tf.range(self.n_examples), trainable=False)
        arrays = tf.nest.map_structure(tf.constant, (inputs, targets))

        def gather(step: tf.Tensor) -> tuple[Named, Named]:
            rows = self._order[step * batch_size : (step + 1) * batch_size]
            return tf.nest.map_structure(lambda array: tf.gather(array, rows), arrays)

        steps = tf.data.Dataset.range(self.n_steps, output_type=tf.int32)
        self.dataset = steps.map(gather).prefetch(2)

    def shuffle(self, epoch: int) -> None:
        """Puts the examples into the order of an epoch."""
        rng = np.random.default_rng([self._seed, epoch])
        self._order.assign(rng.permutation(self.n_examples).astype("int32"))
